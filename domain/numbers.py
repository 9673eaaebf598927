"""Numbers for people: documents as PO-2026-00042, and ticket barcodes with a check character."""

import re
from dataclasses import dataclass
from enum import StrEnum

_NUMBER = re.compile(r"([A-Z]{2,4})-([0-9]{4})-([0-9]{5,12})", re.ASCII)
# Crockford's base 32: no I, L, O or U, so that a code can be read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_MIN_SECRET = 10
# A booking draws a code for each of its tickets while others wait: two characters at a time, and no reckoning twice.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_DOUBLED = {char: 2 * value // 32 + 2 * value % 32 for char, value in _VALUES.items()}


class Series(StrEnum):
    """What a number counts."""

    PURCHASE_ORDER = "PO"
    RECEIPT = "GRN"
    BILL = "BILL"
    BOOKING = "BK"
    TICKET = "TK"
    REFUND = "RF"
    SUPPLIER_PAYMENT = "PAY"


@dataclass(frozen=True, slots=True)
class Number:
    """A number taken apart."""

    series: Series
    year: int
    sequence: int


def format_number(series: Series, *, year: int, sequence: int) -> str:
    """PO-2026-00042; more digits once 99,999 are used up."""
    return f"{series}-{year:04d}-{sequence:05d}"


def parse_number(text: str) -> Number | None:
    """A number as people type it, in any case and with blanks around; None if it is not one of ours."""
    match = _NUMBER.fullmatch(text.strip().upper())
    if not match or match[1] not in list(Series):
        return None
    return Number(Series(match[1]), int(match[2]), int(match[3]))


def normal_number(text: str) -> str | None:
    """The one spelling of a number, as it is stored; None if it is not one of ours."""
    number = parse_number(text)
    return None if number is None else format_number(number.series, year=number.year, sequence=number.sequence)


def barcode(secret: bytes) -> str:
    """A ticket's code: `secret` (at least 10 bytes nobody can guess, from outside) in base 32, and a check character."""
    if len(secret) < _MIN_SECRET:
        raise ValueError(f"a barcode needs at least {_MIN_SECRET} bytes")
    number = int.from_bytes(secret, "big")
    pairs, odd = divmod(-(-len(secret) * 8 // 5), 2)
    body = "".join(_PAIRS[number >> 10 * place & 1023] for place in reversed(range(pairs + odd)))
    body = body[odd:]
    return body + _check_character(body)


def read_barcode(text: str) -> str | None:
    """The code as stored, from what was scanned or typed (any case, O for 0, I or L for 1); None if it cannot be one."""
    code = text.strip().upper().translate(_LOOKALIKES)
    body, check = code[:-1], code[-1:]
    if len(body) * 5 < _MIN_SECRET * 8 or any(char not in _ALPHABET for char in body):
        return None
    return code if check == _check_character(body) else None


def _check_character(body: str) -> str:
    """Luhn mod 32: finds every wrong character and nearly every swap of two neighbours."""
    total = sum(map(_DOUBLED.__getitem__, body[::-2])) + sum(map(_VALUES.__getitem__, body[-2::-2]))
    return _ALPHABET[-total % 32]
