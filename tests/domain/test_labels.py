"""Labels: which text may be one, and the order people read them in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.labels import LabelKind, check_label, seat_key, sort_key
from domain.states import Refused

LABELS = st.text(st.sampled_from("0127 9AaBbÄäßÉ-.x₂²٣ "), max_size=12)


def test_labels_sort_as_people_read_them() -> None:
    human = ["2", "007", "7", "10", "12", "12A", "12a", "12B", "A", "a", "Ä", "A1", "A2", "A10", "AA", "B", "Ö", "P"]

    assert sorted(set(human), key=sort_key) == human
    assert sorted(["Box 10", "Box", "Box 2"], key=sort_key) == ["Box", "Box 2", "Box 10"]


def test_accents_and_case_decide_only_between_equals() -> None:
    assert sorted(["Éb", "Ea", "Ec", "eb"], key=sort_key) == ["Ea", "eb", "Éb", "Ec"]


def test_a_number_of_any_length_sorts() -> None:
    long = "9" * 5000

    assert sorted([long + "0", long, "1" + long, "8"], key=sort_key) == ["8", long, "1" + long, long + "0"]


@given(LABELS, LABELS)
def test_the_order_is_total_and_the_same_in_bytes(one: str, other: str) -> None:
    keys = sort_key(one), sort_key(other)

    assert (keys[0] == keys[1]) == (one == other)
    assert (keys[0] < keys[1]) == (keys[0].encode() < keys[1].encode())
    assert "\x00" not in keys[0]


@given(st.integers(0, 10**40), st.integers(0, 10**40))
def test_plain_numbers_sort_by_size(one: int, other: int) -> None:
    assert (sort_key(str(one)) < sort_key(str(other))) == (one < other)


@given(st.tuples(LABELS, LABELS, LABELS), st.tuples(LABELS, LABELS, LABELS))
def test_a_seat_sorts_by_section_then_row_then_seat(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    expected = tuple(map(sort_key, one)) < tuple(map(sort_key, other))

    assert (seat_key(*one) < seat_key(*other)) == expected


@pytest.mark.parametrize(
    ("kind", "text", "label"),
    [
        ("seat", "12A", "12A"),
        ("seat", " 007 ", "007"),
        ("row", "A\u0308", "Ä"),
        ("section", "Box 2-4", "Box 2-4"),
        ("section", "Rang\u00a0links", "Rang links"),
        ("section", "舞台", "舞台"),
        ("seat", "x" * 40, "x" * 40),
    ],
)
def test_a_label_is_text_and_comes_back_in_one_spelling(kind: LabelKind, text: str, label: str) -> None:
    checked = check_label(kind, text)

    assert checked == label
    assert unicodedata.is_normalized("NFC", checked)
    assert check_label(kind, checked) == checked


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("seat", ""),
        ("seat", "  "),
        ("seat", "x" * 41),
        ("section", "A/B"),
        ("section", "A,B"),
        ("section", "*"),
        ("row", "A-F"),
        ("seat", "1-2"),
        ("seat", "1\t2"),
        ("seat", "1\x00"),
        ("section", "A\u200bB"),
        ("section", "\u202eA"),
        ("section", "\ud800"),
        ("section", "A\u2028B"),
    ],
)
def test_other_text_is_no_label(kind: LabelKind, text: str) -> None:
    with pytest.raises(Refused) as caught:
        check_label(kind, text, pointer="/lines/7")

    assert caught.value.code == "invalid_label"
    assert caught.value.errors[0].pointer == "/lines/7"
