"""The delivery receipt: every seat told once, sums in money and seats, and long deliveries that stay readable."""

import re
from dataclasses import replace

import pytest

from domain.selectors import SeatName
from reports.press import MOST_TABLE_ROWS, receipt_pdf
from reports.seats import by_section
from tests.reports import pdfs
from tests.reports.samples import a_receipt, hall

SCATTERED = hall(1500, step=2)


def told(content: bytes) -> set[SeatName]:
    """The seats a reader finds in the tables of the receipt: section, then a line of row, quantity and seats."""
    found: set[SeatName] = set()
    section = ""
    for line in "\n".join(page.text for page in pdfs.pages(content)).splitlines():
        if heading := re.match(r"(Block \d+) · ", line):
            section = heading[1]
        elif entry := re.match(r"(\S+) (\d+) ([\d, \-]+)$", line.strip()):
            found |= {(section, entry[1], seat) for seat in unfolded(entry[3])}
    return found


def unfolded(ranges: str) -> list[str]:
    ends = [part.strip().split("-") for part in ranges.split(",")]
    return [str(number) for end in ends for number in range(int(end[0]), int(end[-1]) + 1)]


@pytest.mark.parametrize("seats", [hall(1500), SCATTERED], ids=["ranges", "scattered"])
def test_every_seat_is_told_exactly(seats: tuple[SeatName, ...]) -> None:
    content = receipt_pdf(a_receipt(seats=seats))

    assert told(content) == set(seats)


@pytest.mark.parametrize("seats", [hall(1500), SCATTERED, hall(5000, step=2)], ids=["ranges", "scattered", "5,000"])
def test_a_long_receipt_stays_on_its_pages(seats: tuple[SeatName, ...]) -> None:
    content = receipt_pdf(a_receipt(seats=seats))

    pages = pdfs.pages(content)

    assert 3 <= len(pages) <= 10
    assert [page.outside(margin=16.5 * pdfs.MILLIMETRE, above=10 * pdfs.MILLIMETRE) for page in pages] == [[]] * len(
        pages
    )
    assert [page.overlapping() for page in pages] == [[]] * len(pages)


@pytest.mark.parametrize("count", range(1100, 1500, 25))
def test_no_head_stands_alone_at_the_foot_of_a_page(count: int) -> None:
    pages = pdfs.pages(receipt_pdf(a_receipt(seats=hall(count))))

    for page in pages:
        body = [
            line for line in page.text.splitlines() if "delivery reference LS-88231" not in line and "Page " not in line
        ]
        assert not re.search(r"Quantity|· \d+ seats|taken into ownership", body[-1]), body[-1]


def test_a_section_that_goes_on_overleaf_is_named_again() -> None:
    rows = tuple(("Parkett", str(row), "1") for row in range(1, 90))

    pages = pdfs.pages(receipt_pdf(a_receipt(seats=rows)))

    assert len(pages) > 2
    assert all("Parkett · 89 seats" in page.text and "Quantity" in page.text for page in pages)


def test_the_sums_are_in_money_and_in_seats() -> None:
    first = a_receipt(seats=hall(40)).lines[0]
    receipt = replace(a_receipt(), lines=(first, replace(first, number=2, seats=hall(1200))))

    said = pdfs.words(receipt_pdf(receipt))

    assert "Delivery total 1.240 42.499,95 €" in said
    assert "Seats taken into ownership: 1.240" in said
    assert "Line 1: Die Zauberflöte, 40 seats" in said
    assert "Line 2: Die Zauberflöte, 1.200 seats" in said


def test_a_line_says_what_was_ordered_came_before_came_now_and_is_open() -> None:
    said = pdfs.words(receipt_pdf(a_receipt(seats=hall(40))))

    assert "Parkett, rows A to K 70 10 40 20 28,3333 42.499,95 €" in said


def test_thousands_of_short_rows_run_together_and_still_tell_every_seat() -> None:
    count = MOST_TABLE_ROWS + 1
    rows = tuple(("Salon", f"T{table}", "1") for table in range(count))

    said = pdfs.words(receipt_pdf(a_receipt(seats=rows)))

    assert "T0 1; T1 1; T2 1;" in said
    assert len(re.findall(r"\bT\d+ 1\b", said)) == count


def test_seats_are_counted_by_row_and_section_in_human_order() -> None:
    seats = [("Rang", "10", "2"), ("Rang", "2", "12A"), ("Rang", "2", "1"), ("Rang", "2", "2"), ("Rang", "2", "3")]

    (section,) = by_section(seats)

    assert [(row.name, row.seats, row.count) for row in section.rows] == [("2", "1-3, 12A", 4), ("10", "2", 1)]
    assert section.count == 5


def test_a_seat_without_a_row_stands_under_a_dash() -> None:
    (section,) = by_section([("Standing", "", "17")])

    assert [(row.name, row.seats) for row in section.rows] == [("\u2013", "17")]
