"""Selectors: the grammar in good and bad input, seats found in order, and ranges folded back."""

import time
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.labels import sort_key
from domain.selectors import (
    MAX_MISSING,
    MAX_SEATS,
    SeatName,
    Selector,
    fold,
    parse,
    parse_all,
    resolve,
    resolve_blocks,
    resolve_each,
    sections_of,
)
from domain.states import Refused

LABELS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "12A", "007", "Ä", "A", "B", "99", "100", "0"]


def a_hall() -> dict[SeatName, str]:
    """Stalls A-C with seats 1-12, 12A; Box 2-4 row 1 with 007, Ä; a Balcony Z-AB with 1-2. Given in no order."""
    stalls = [("Stalls", row, seat) for row in "CAB" for seat in [*map(str, range(12, 0, -1)), "12A"]]
    box = [("Box 2-4", "1", "Ä"), ("Box 2-4", "1", "007")]
    balcony = [("Balcony", row, seat) for row in ("AB", "Z", "AA") for seat in "21"]
    return {name: "/".join(name) for name in stalls + box + balcony}


def at(index: int) -> str:
    return f"/lines/0/seats/{index}"


def refusal(texts: Iterable[str]) -> Refused:
    with pytest.raises(Refused) as caught:
        resolve(list(texts), seats=a_hall(), pointer=at)
    return caught.value


@pytest.mark.parametrize(
    ("text", "section", "rows", "seats"),
    [
        ("Stalls/A/1-3", "Stalls", ("A",), ("1", "2", "3")),
        ("Stalls/C-F/*", "Stalls", ("C", "D", "E", "F"), None),
        ("Stalls/c-d/*", "Stalls", ("c", "d"), None),
        ("Stalls/1-3/*", "Stalls", ("1", "2", "3"), None),
        ("Stalls/*/7", "Stalls", None, ("7",)),
        ("Box 2/1/12A", "Box 2", ("1",), ("12A",)),
        ("Box 2-4/1/007", "Box 2-4", ("1",), ("007",)),
        ("Stalls/A/1,2,5-8", "Stalls", ("A",), ("1", "2", "5", "6", "7", "8")),
        ("Stalls/A/1, 2, 5 - 6", "Stalls", ("A",), ("1", "2", "5", "6")),
        ("Stalls/A/9-11", "Stalls", ("A",), ("9", "10", "11")),
        ("Stalls/A/4-4", "Stalls", ("A",), ("4",)),
        ("Stalls/AA-AC/*", "Stalls", ("AA", "AB", "AC"), None),
        ("Stalls/Y-AB/*", "Stalls", ("Y", "Z", "AA", "AB"), None),
        (" Stalls / A / 1 ", "Stalls", ("A",), ("1",)),
        ("Ra\u0308nge/\u00c4/B", "Ränge", ("Ä",), ("B",)),
        ("Stalls/A/01-03", "Stalls", ("A",), ("1", "2", "3")),
    ],
)
def test_good_text_is_read(
    text: str, section: str, rows: tuple[str, ...] | None, seats: tuple[str, ...] | None
) -> None:
    assert parse(text) == Selector(text, section, rows, seats)


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "//", "Stalls", "Stalls/A", "Stalls/A/1/2", "Stalls//1", "/A/1", "Stalls/A/", "*/A/1",
        "Stalls/A/5-1", "Stalls/F-A/*", "Stalls/5-1/*", "Stalls/AA-B/*", "Stalls/a-F/*", "Stalls/A-5/*", "Stalls/Ä-B/*",
        "Stalls/A/A-F", "Stalls/A/1-", "Stalls/A/-1", "Stalls/A/1--3", "Stalls/A/1-2-3", "Stalls/A/12A-14", "Stalls/A/1-12A",
        "Stalls/A/1,,2", "Stalls/A/,1", "Stalls/A/1,", "Stalls/A/*,1", "Stalls/A/**", "Stalls/A,B/1", "Stalls/A/\u0661-\u0663",
        "Stalls/A/1\n2", f"Stalls/A/1-{MAX_SEATS + 1}", "Stalls/1-1000/1-1000", "Stalls/A/1-" + "9" * 60, "x" * 41 + "/A/1",
        "Stalls/A-ZZZZZZ/*",
    ],
)  # fmt: skip
def test_bad_text_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)

    assert caught.value.code == "invalid_selector"


def test_seats_come_in_the_selectors_order_and_a_star_in_human_order() -> None:
    found = resolve(["Stalls/B/3,1", "Balcony/*/*", "Box 2-4/1/*", "Stalls/A/11-12,12A"], seats=a_hall(), pointer=at)

    assert found == (
        "Stalls/B/3", "Stalls/B/1", "Balcony/AA/1", "Balcony/AA/2", "Balcony/AB/1", "Balcony/AB/2", "Balcony/Z/1", "Balcony/Z/2",
        "Box 2-4/1/007", "Box 2-4/1/Ä", "Stalls/A/11", "Stalls/A/12", "Stalls/A/12A",
    )  # fmt: skip


def test_each_selector_keeps_its_own_seats() -> None:
    groups = resolve_each(["Stalls/A/1", "Stalls/B-C/2"], seats=a_hall(), pointer=at)

    assert groups == (("Stalls/A/1",), ("Stalls/B/2", "Stalls/C/2"))


def test_a_block_is_a_section_or_some_of_its_rows() -> None:
    whole, some = resolve_blocks([("Stalls", None), ("Stalls", "B-C")], seats=a_hall(), pointer=at)

    assert (len(whole), len(some), some[12]) == (39, 26, "Stalls/B/12A")


def test_a_block_is_in_human_order_however_its_rows_are_counted() -> None:
    (rows,) = resolve_blocks([("Balcony", "Z-AB")], seats=a_hall(), pointer=at)

    assert rows == ("Balcony/AA/1", "Balcony/AA/2", "Balcony/AB/1", "Balcony/AB/2", "Balcony/Z/1", "Balcony/Z/2")


def test_equal_blocks_are_looked_up_once_and_may_overlap() -> None:
    seats = {("Stalls", str(row), str(seat)): 0 for row in range(100) for seat in range(500)}
    start = time.perf_counter()

    groups = resolve_blocks([("Stalls", None)] * 5_000 + [("Stalls", "1-2")], seats=seats, pointer=at)

    assert len({id(group) for group in groups}) == 2
    assert time.perf_counter() - start < 3


def test_blocks_that_lie_one_over_the_other_have_an_end() -> None:
    seats = {("Stalls", str(row), str(seat)): 0 for row in range(100) for seat in range(500)}
    blocks: list[tuple[str, str | None]] = [("Stalls", f"0-{row}") for row in range(99, 0, -1)]

    with pytest.raises(Refused) as caught:
        resolve_blocks(blocks, seats=seats, pointer=at)

    assert (caught.value.code, caught.value.errors[0].pointer) == ("invalid_selector", at(22))


@pytest.mark.parametrize(
    ("section", "rows", "code"),
    [("Stalls", "", "invalid_selector"), ("Stalls", "C-A", "invalid_selector"), ("Pit", None, "no_such_seat"), ("A/B", None, "invalid_selector")],
)  # fmt: skip
def test_a_block_is_refused_at_its_pointer(section: str, rows: str | None, code: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve_blocks([("Stalls", "A"), (section, rows)], seats=a_hall(), pointer=at)

    assert (caught.value.code, caught.value.errors[0].pointer) == (code, at(1))


def test_missing_seats_are_named_at_their_selectors() -> None:
    refused = refusal(["Stalls/A/1", "Stalls/A/11-14", "Stalls/D/1", "Pit/A/1", "Stalls/A-B/13", "Stalls/D/*"])

    assert refused.code == "no_such_seat"
    assert [fault.pointer for fault in refused.errors] == [at(1), at(2), at(3), at(4), at(5)]
    assert refused.errors[0].message == "No such seat: Stalls/A/13, Stalls/A/14."
    assert refused.facts["missing"] == [
        "Stalls/A/13", "Stalls/A/14", "Stalls/D/1", "Pit/A/1", "Stalls/A/13", "Stalls/B/13", "Stalls/D/*",
    ]  # fmt: skip


def test_a_seat_that_a_number_does_not_spell_is_missing() -> None:
    assert refusal(["Box 2-4/1/7"]).facts["missing"] == ["Box 2-4/1/7"]


def test_a_seat_named_twice_is_refused_where_it_repeats() -> None:
    refused = refusal(["Stalls/A/1-3", "Stalls/B/1", "Stalls/A/3-4", "Stalls/C/5,5"])

    assert refused.code == "duplicate_seat"
    assert [(fault.pointer, fault.message) for fault in refused.errors] == [
        (at(2), "Named twice: Stalls/A/3."),
        (at(3), "Named twice: Stalls/C/5."),
    ]


def test_every_unreadable_selector_is_named_before_anything_is_looked_up() -> None:
    refused = refusal(["Pit/A/1", "Stalls/A/5-1", "Stalls"])

    assert refused.code == "invalid_selector"
    assert [fault.pointer for fault in refused.errors] == [at(1), at(2)]


def test_a_long_list_of_missing_seats_is_cut() -> None:
    refused = refusal(["Stalls/A/1-1000"])

    assert "and 963 more" in refused.errors[0].message


def test_the_text_is_cut_but_every_missing_seat_is_named() -> None:
    refused = refusal(["Stalls/A/1-1000", "Stalls/Z/1-50"])

    missing = [f"Stalls/A/{seat}" for seat in range(13, 1001)] + [f"Stalls/Z/{seat}" for seat in range(1, 51)]
    assert refused.facts["missing"] == missing


def test_the_missing_seats_have_an_end_too() -> None:
    refused = refusal(["Stalls/A-C/1-9999"])

    assert len(list(refused.facts["missing"])) == MAX_MISSING  # type: ignore[call-overload]
    assert "and many more" in refused.errors[0].message


@pytest.mark.parametrize(
    "text",
    [
        "S/A/" + ",".join(["0-99999"] * 500),
        "S/1-99999/" + ",".join(["0-99999"] * 500),
        "S/A-ZZZ/1-99999",
        "S/A/1-60000,1-60000",
    ],
)
def test_a_short_text_that_names_millions_is_refused_before_any_label_is_written(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="invalid_selector"):
            parse(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 1_000_000


@pytest.mark.parametrize("text", ["S/A/1-99999", "S/1-300/1-300", "S/A/" + ",".join(["0-99999"] * 500)])
def test_a_megabyte_of_selectors_is_refused_by_their_number(text: str) -> None:
    start = time.perf_counter()

    with pytest.raises(Refused, match="invalid_selector") as caught:
        parse_all([text] * (2**20 // len(text)), pointer=at)

    assert len(caught.value.errors) <= 100
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("text", ["Stalls/*/0-99998", "Stalls/*/" + ",".join(["0-99"] * 800)])
def test_a_star_does_not_multiply_a_long_list_by_every_row(text: str) -> None:
    seats = {("Stalls", str(row), str(seat)): 0 for row in range(1000) for seat in range(100)}
    start = time.perf_counter()

    with pytest.raises(Refused, match=r"no_such_seat|duplicate_seat"):
        resolve([text], seats=seats, pointer=at)

    assert time.perf_counter() - start < 3


def test_sections_are_read_without_what_is_named_of_them() -> None:
    texts = ["Stalls/A/1", " Stalls /B/*", "\tBox 2-4/1/0-99999999", "Pit/oops", "*/A/1", "x" * 41 + "/A/1"]

    assert sections_of(texts) == ["Box 2-4", "Stalls"]


@pytest.mark.parametrize("text", ["Stalls/*/*", "Stalls/A/1-99999", "Stalls", "Pit/A/1"])
def test_a_flood_of_selectors_ends_early(text: str) -> None:
    seats = {("Stalls", str(row), str(seat)): 0 for row in range(100) for seat in range(100)}
    start = time.perf_counter()

    with pytest.raises(Refused) as caught:
        resolve([text] * 50_000, seats=seats, pointer=at)

    assert len(caught.value.errors) <= 100
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("text", ["Stalls/*/*", "Stalls/1-500/1-100"])
def test_fifty_thousand_seats_are_found_well_within_a_second(text: str) -> None:
    seats = {("Stalls", str(row), str(seat)): (row, seat) for row in range(1, 501) for seat in range(1, 101)}
    start = time.perf_counter()

    found = resolve([text], seats=seats, pointer=at)

    assert found == tuple(seats.values())
    assert time.perf_counter() - start < 1


def test_neighbours_are_folded_into_ranges() -> None:
    seats = [("Stalls", "B", "1"), ("Stalls", "A", "32A"), ("Box 10", "1", "007")]
    seats += [("Stalls", "A", str(seat)) for seat in [30, *range(25, 0, -1), 40, 41]]

    assert fold(seats) == [
        ("Box 10", "1", "007"),
        ("Stalls", "A", "1-25, 30, 32A, 40, 41"),
        ("Stalls", "B", "1"),
    ]


@given(
    st.sets(
        st.tuples(st.sampled_from(["Stalls", "Box 2-4"]), st.sampled_from(["A", "Ä", "10"]), st.sampled_from(LABELS))
    )
)
def test_what_is_folded_names_the_same_seats(names: set[SeatName]) -> None:
    texts = [f"{section}/{row}/{seats}" for section, row, seats in fold(names)]

    found = resolve(texts, seats={name: name for name in names}, pointer=at)

    assert list(found) == sorted(names, key=lambda name: tuple(map(sort_key, name)))


@given(st.sets(st.integers(0, 60), min_size=1))
def test_a_folded_range_never_bridges_a_gap(numbers: set[int]) -> None:
    (folded,) = fold([("S", "A", str(number)) for number in numbers])

    assert {int(label) for label in parse(f"S/A/{folded.seats}").seats or ()} == numbers
