"""One report as a frame and as a workbook: exact sums, typed cells, no formula, the same bytes."""

import io
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from reports.frames import frame, to_xlsx
from reports.tables import Report, to_json
from tests.reports.samples import HOSTILE, a_profit_report
from tests.reports.test_tables import DANGEROUS, a_report

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(report: Report, *, number: int = 1) -> list[list[tuple[str, str]]]:
    """The cells of a sheet as type and value, texts looked up; raises on any formula."""
    with zipfile.ZipFile(io.BytesIO(to_xlsx(report))) as book:
        texts = ["".join(item.itertext()) for item in _parsed(book, "xl/sharedStrings.xml")]
        root = _parsed(book, f"xl/worksheets/sheet{number}.xml")
    assert not list(root.iter(f"{MAIN}f"))
    assert not list(root.iter(f"{MAIN}hyperlink"))
    return [[_cell(cell, texts) for cell in row] for row in root.iter(f"{MAIN}row")]


def _parsed(book: zipfile.ZipFile, name: str) -> ET.Element:
    return ET.fromstring(book.read(name))  # noqa: S314 -- we wrote it ourselves a moment ago.


def _cell(cell: ET.Element, texts: list[str]) -> tuple[str, str]:
    kind, value = cell.get("t", "n"), cell.findtext(f"{MAIN}v", "")
    return kind, texts[int(value)] if kind == "s" else value


def test_a_frame_keeps_decimals_exact() -> None:
    report = replace(a_report(), rows=a_report(amount=Decimal("0.10")).rows * 3)

    table = frame(report)

    assert list(table.columns) == ["key", "label", "day", "seats", "value", "share"]
    assert table["value"].sum() == Decimal("0.30")
    assert isinstance(table["value"].iloc[0], Decimal)


def test_a_frame_of_no_rows_still_has_its_columns() -> None:
    assert list(frame(replace(a_report(), rows=())).columns)[:2] == ["key", "label"]


def test_cells_are_typed_and_totals_come_last() -> None:
    head, row, totals = sheet(a_report())

    assert [text for _, text in head] == ["Key", "Event", "Day", "Seats", "Value", "Share"]
    assert row == [("s", "018f"), ("s", "Faust"), ("s", "2026-11-21"), ("n", "3"), ("n", "1234.5"), ("n", "0.25")]
    assert totals == [("n", ""), ("s", "Total"), ("n", ""), ("n", "3"), ("n", "1234.5"), ("n", "")]


@pytest.mark.parametrize("label", [*DANGEROUS, *HOSTILE, "http://evil.example", "42"])
def test_no_name_becomes_a_formula_a_link_or_a_number(label: str) -> None:
    _, row, _ = sheet(a_report(label))

    kind, text = row[1]
    assert kind == "s"
    assert text.strip() in label or "\x07" in label


def test_totals_equal_those_in_json() -> None:
    report = a_profit_report(rows=9)
    rows = sheet(report)

    totals = to_json(report)["totals"]

    for column, (_, value) in zip(report.columns, rows[-1], strict=True):
        if column.kind == "money":
            assert Decimal(value) == Decimal(totals[column.name]["amount"])


def test_a_second_sheet_says_what_the_report_is() -> None:
    said = [[text for _, text in row] for row in sheet(a_profit_report(), number=2)]

    assert ["As of", "2026-11-20T23:00:00Z"] in said
    assert ["Currency", "EUR"] in said
    assert any(name == "Margin" for name, _ in said)


def test_the_same_report_gives_the_same_bytes_at_another_time() -> None:
    first = to_xlsx(a_profit_report())
    time.sleep(2.1)  # The dates in a zip file have steps of two seconds.

    assert to_xlsx(a_profit_report()) == first
