"""Reading the CSV files that people send: comma or semicolon, with or without BOM, every bad line named at once."""

import csv
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from domain.labels import MAX_LABEL, LabelKind, check_label
from domain.states import Fault, Refused

T = TypeVar("T")

MAX_LINES = 100_000
MAX_FAULTS = 100
_POINT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_POINT_OR_COMMA = re.compile(r"-?[0-9]{1,15}([.,][0-9]{1,15})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its number in the file (the header is line 1) and its cells by column."""

    number: int
    cells: dict[str, str]
    separator: str

    def label(self, column: LabelKind) -> str:
        return check_label(column, self.cells[column])

    def text(self, column: str) -> str | None:
        """A short text; None when the column is missing or the cell empty."""
        cell = self.cells.get(column, "").strip()
        if not cell.isprintable() or len(cell) > MAX_LABEL:
            raise Refused("invalid_text", f"{column}: at most {MAX_LABEL} printable characters.")
        return cell or None

    def whole(self, column: str) -> int:
        cell = self.cells[column].strip()
        if not _WHOLE.fullmatch(cell):
            raise Refused("not_a_number", f"{column}: {cell!r} is not a whole number.")
        return int(cell)

    def decimal(self, column: str) -> Decimal | None:
        """A decimal number; a decimal comma is read in semicolon files only."""
        cell = self.cells.get(column, "").strip()
        if not cell:
            return None
        if not (_POINT_OR_COMMA if self.separator == ";" else _POINT).fullmatch(cell):
            raise Refused("not_a_number", f"{column}: {cell!r} is not a number such as 85.00.")
        return Decimal(cell.replace(",", "."))

    def coordinate(self, column: str) -> Decimal | None:
        """A decimal number rounded to 3 places."""
        number = self.decimal(column)
        if number is not None and abs(number) >= 10**6:
            raise Refused("not_a_number", f"{column}: {number} is too large.")
        return None if number is None else number.quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Columns:
    """The header: required columns, and optional ones in any combination; any order."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def read_table(
    data: bytes, *, columns: Columns, parse: Callable[[Line], T], key: Callable[[T], Hashable] | None = None
) -> tuple[T, ...]:
    """Parses every line that is not blank. `parse` raises Refused for a bad line; equal `key`s are the same seat twice.

    Raises one Refused with a Fault per bad line (pointer `/lines/<n>`, at most 100): `duplicate_seat` when seats named
    twice are all that is wrong, else `invalid`. The file is UTF-8 with or without BOM, with LF or CRLF.
    """
    # Counted before they are taken apart: the end of the last line is not the beginning of another.
    if data.removesuffix(b"\n").count(b"\n") > MAX_LINES:
        words = f"At most {MAX_LINES:,} lines below the header."
        raise _refused([Fault(f"/lines/{MAX_LINES + 2}", "too_many_lines", words)])
    raw = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    try:
        header, separator = _header(raw[0], columns)
    except Refused as refused:
        raise _refused([_fault(1, refused)]) from refused
    body = [(number, line) for number, line in enumerate(raw[1:], start=2) if line.strip()]
    if not body:
        raise _refused([Fault("/lines/1", "no_lines", "The file has a header and nothing below it.")])
    seen: dict[Hashable, int] = {}

    def read(number: int, line: bytes) -> T:
        item = parse(Line(number, _cells(line, header, separator), separator))
        if key is not None:
            _refuse_repeated(seen.setdefault(key(item), number), number)
        return item

    return _read_all(body, read)


def _read_all(body: Sequence[tuple[int, bytes]], read: Callable[[int, bytes], T]) -> tuple[T, ...]:
    parsed: list[T] = []
    faults: list[Fault] = []
    for number, line in body:
        try:
            parsed.append(read(number, line))
        except Refused as refused:
            faults.append(_fault(number, refused))
        if len(faults) == MAX_FAULTS:
            break
    if faults:
        raise _refused(faults)
    return tuple(parsed)


def _header(raw: bytes, columns: Columns) -> tuple[list[str], str]:
    """The columns in the file's order, and what separates them."""
    separator = ";" if b";" in raw else ","
    header = [cell.strip().casefold() for cell in _split(raw, separator)]
    known = columns.required + columns.optional
    unknown = [name for name in header if name not in known]
    missing = [name for name in columns.required if name not in header]
    if unknown or missing or len(set(header)) != len(header):
        optional = f"[,{','.join(columns.optional)}]" if columns.optional else ""
        words = f"The first line names the columns {','.join(columns.required)}{optional}, each once."
        raise Refused("wrong_header", words)
    return header, separator


def _cells(raw: bytes, header: Sequence[str], separator: str) -> dict[str, str]:
    cells = _split(raw, separator)
    if len(cells) != len(header):
        raise Refused("wrong_columns", f"{len(cells)} columns where the header has {len(header)}.")
    return dict(zip(header, cells, strict=True))


def _split(raw: bytes, separator: str) -> list[str]:
    """One line of the file; a quoted cell cannot run over into the next line, so line numbers stay the file's."""
    try:
        text = raw.removesuffix(b"\r").decode()
        return next(csv.reader([text], delimiter=separator, strict=True), [])
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", "This line is not UTF-8; save the file as CSV UTF-8.") from error
    except csv.Error as error:
        raise Refused("unreadable_line", f"This line is not CSV: {error}.") from error


def _refuse_repeated(first: int, number: int) -> None:
    if first != number:
        raise Refused("duplicate_seat", f"The same seat as in line {first}.")


def _fault(number: int, refused: Refused) -> Fault:
    return Fault(f"/lines/{number}", refused.code, refused.words)


def _refused(faults: Sequence[Fault]) -> Refused:
    code = "duplicate_seat" if all(fault.code == "duplicate_seat" for fault in faults) else "invalid"
    first = faults[0]
    line = first.pointer.rpartition("/")[2]
    more = f" {len(faults)} lines are wrong in all." if len(faults) > 1 else ""
    return Refused(code, f"Line {line}: {first.message}{more}", errors=tuple(faults))
