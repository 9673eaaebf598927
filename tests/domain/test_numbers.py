"""Numbers and barcodes: written once, read as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.numbers import Number, Series, barcode, format_number, normal_number, parse_number, read_barcode

SECRETS = st.binary(min_size=10, max_size=24)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.mark.parametrize(
    ("series", "sequence", "text"),
    [
        (Series.PURCHASE_ORDER, 42, "PO-2026-00042"),
        (Series.RECEIPT, 1, "GRN-2026-00001"),
        (Series.TICKET, 1_234_567, "TK-2026-1234567"),
    ],
)
def test_a_number_is_written_with_at_least_five_digits(series: Series, sequence: int, text: str) -> None:
    assert format_number(series, year=2026, sequence=sequence) == text
    assert parse_number(text) == Number(series, 2026, sequence)


@given(st.sampled_from(Series), st.integers(1, 9999), st.integers(1, 10**9))
def test_what_is_written_is_read_back(series: Series, year: int, sequence: int) -> None:
    text = format_number(series, year=year, sequence=sequence)

    assert parse_number(f" {text.lower()} ") == Number(series, year, sequence)
    assert normal_number(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PO",
        "PO-26-00042",
        "PO-2026-42",
        "XX-2026-00042",
        "PO 2026 00042",
        "PO-2026-00042x",
        "01920000-0000-7000-8000-000000000000",
    ],
)
def test_other_text_is_no_number(text: str) -> None:
    assert parse_number(text) is None
    assert normal_number(text) is None


@given(SECRETS)
def test_a_barcode_is_read_as_people_type_it(secret: bytes) -> None:
    code = barcode(secret)
    typed = "-".join(code[i : i + 4] for i in range(0, len(code), 4)).lower().replace("0", "o").replace("1", "l")

    assert read_barcode(code) == code
    assert read_barcode(f" {typed} ") == code
    assert set(code) <= set(ALPHABET)


@given(SECRETS, st.data())
def test_one_wrong_character_is_always_found(secret: bytes, data: st.DataObject) -> None:
    code = barcode(secret)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([char for char in ALPHABET if char != code[place]]))

    assert read_barcode(code[:place] + wrong + code[place + 1 :]) is None


@given(SECRETS, SECRETS)
def test_different_secrets_make_different_barcodes(one: bytes, other: bytes) -> None:
    assert (barcode(one) == barcode(other)) == (one == other or _same_number(one, other))


@pytest.mark.parametrize("text", ["", "0", "U" * 27, "ABC", "é" * 20])
def test_other_text_is_no_barcode(text: str) -> None:
    assert read_barcode(text) is None


def test_a_barcode_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="at least 10 bytes"):
        barcode(b"guess me")


def _same_number(one: bytes, other: bytes) -> bool:
    """Secrets of different lengths that fill the same characters."""
    places = {-(-len(secret) * 8 // 5) for secret in (one, other)}
    return len(places) == 1 and int.from_bytes(one, "big") == int.from_bytes(other, "big")
