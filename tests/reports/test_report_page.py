"""A report on paper: the sums of the JSON, heads on every page, losses left of zero, and an end to thousands of rows."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.money import Money
from reports import report_page
from reports.charts import MOST_BARS, WIDTH, Bar, bars_svg
from reports.report_page import to_pdf
from reports.tables import to_json
from tests.reports import pdfs
from tests.reports.samples import NORTHSIDE, a_profit_report
from tests.reports.test_tables import a_report


def test_its_totals_are_those_of_the_json() -> None:
    report = a_profit_report(rows=12)

    said = pdfs.words(to_pdf(report, issuer=NORTHSIDE))

    sums = re.findall(r"Total ([\d.,%\u2013 -]+)", said)
    assert len(sums) == 2
    for name, value in to_json(report)["totals"].items():
        if isinstance(value, dict):
            assert NORTHSIDE.words.amount(Decimal(value["amount"])) in " ".join(sums), name


def test_every_page_of_a_table_has_its_head() -> None:
    pages = pdfs.pages(to_pdf(a_profit_report(rows=90), issuer=NORTHSIDE))

    with_rows = [page for page in pages if len(re.findall(r"^Die Zauberflöte \d+ \d", page.text, re.MULTILINE)) > 1]
    assert len(with_rows) > 4
    assert all("Gross profit" in page.text for page in with_rows)


def test_a_small_table_stays_whole_with_its_title() -> None:
    pages = pdfs.pages(to_pdf(a_profit_report(rows=6), issuer=NORTHSIDE))

    (second,) = [page.text for page in pages if "Contribution and stock" in page.text]
    assert len(re.findall(r"^Die Zauberflöte \d+ \d", second.split("Contribution and stock")[1], re.MULTILINE)) == 6
    assert "Unsold, at cost" in second


@pytest.mark.parametrize("rows", [21, 25, 28, 31])
def test_no_page_ends_or_begins_with_fewer_than_three_rows(rows: int) -> None:
    pages = pdfs.pages(to_pdf(a_profit_report(rows=rows), issuer=NORTHSIDE))

    lines = [re.findall(r"^Die Zauberflöte \d+(?: \S+){8,}", page.text, re.MULTILINE) for page in pages]
    # Only the first table ends in a ratio, or in the dash of none.
    of_sales = [[line for line in page if line.endswith(("%", "\u2013"))] for page in lines]
    for counts in (list(map(len, of_sales)), [len(page) - len(s) for page, s in zip(lines, of_sales, strict=True)]):
        assert sum(counts) == rows
        assert all(count == 0 or count >= 3 for count in counts)


def test_the_last_rows_total_is_never_alone_on_its_page() -> None:
    row = a_report().rows[0]
    for rows in range(18, 30):
        pages = pdfs.pages(to_pdf(replace(a_report(), rows=(row,) * rows), issuer=NORTHSIDE))

        lines = [line for page in pages for line in page.text.splitlines()]
        (total,) = [at for at, line in enumerate(lines) if line.startswith("Total ")]
        assert lines[total - 1].startswith("Faust")


def test_huge_figures_do_not_touch_each_other() -> None:
    small = a_profit_report(rows=3)
    rows = tuple(
        tuple(
            Decimal("-98765432.10") if column.kind == "money" else value
            for column, value in zip(small.columns, row, strict=True)
        )
        for row in small.rows
    )
    totals = {
        name: Decimal("-98765432.10") if isinstance(value, Decimal) and name not in {"margin", "markup"} else value
        for name, value in small.totals.items()
    }

    pages = pdfs.pages(to_pdf(replace(small, rows=rows, totals=totals), issuer=NORTHSIDE))

    assert [page.overlapping() for page in pages] == [[]] * len(pages)
    assert [page.outside(margin=11.5 * pdfs.MILLIMETRE, above=8 * pdfs.MILLIMETRE) for page in pages] == [[]] * len(
        pages
    )


def test_thousands_of_rows_end_with_a_line_that_says_so_and_totals_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_page, "MOST_ROWS", 150)
    row = a_report().rows[0]
    many = replace(a_report(), rows=(row,) * 4000, totals={"seats": 12_000, "value": Decimal(4_938_000), "share": None})

    said = pdfs.words(to_pdf(many, issuer=NORTHSIDE))

    assert said.count("Faust") == 150
    assert "3.850 more rows are in the CSV and XLSX forms of this report." in said
    assert "Total 12.000 4.938.000,00" in said


def test_a_wide_report_prints_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_page, "MOST_CELLS", 400)

    said = pdfs.words(to_pdf(a_profit_report(rows=30), issuer=NORTHSIDE))

    assert said.count("11 more rows") == 2


def test_it_says_as_of_when_and_known_when_on_every_page() -> None:
    pages = pdfs.pages(to_pdf(a_profit_report(rows=60), issuer=NORTHSIDE))

    assert all("as of 21 November 2026, 00:00 (Europe/Berlin)" in page.text for page in pages)
    assert all("Known at 21 November 2026, 00:00" in page.text for page in pages)


def test_a_report_without_rows_is_a_page_with_its_totals() -> None:
    empty = replace(a_report(), rows=(), totals={"seats": 0, "value": Decimal(0), "share": None})

    said = pdfs.words(to_pdf(empty, issuer=NORTHSIDE))

    assert "Total 0 0,00" in said


def test_the_words_are_explained() -> None:
    said = pdfs.words(to_pdf(a_profit_report(), issuer=NORTHSIDE))

    assert "Net revenue: gross sales less discounts and refunds" in said


def bars(*values: int) -> list[Bar]:
    return [Bar(label=f"Event {value}", value=Decimal(value), text=f"{value},00") for value in values]


def edges(svg: str) -> list[tuple[float, float]]:
    found = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    return [(float(x), float(x) + float(width)) for x, width in found]


def test_bars_are_sorted_and_losses_lie_left_of_zero() -> None:
    svg = bars_svg(bars(-50, 100, 25), title="Profit")

    zero = float(re.findall(r'<line x1="([\d.]+)"', svg)[0])
    assert re.findall(r">(Event -?\d+)<", svg) == ["Event 100", "Event 25", "Event -50"]
    best, fair, loss = edges(svg)
    assert best[0] == fair[0] == zero
    assert loss[1] == pytest.approx(zero, abs=0.02)
    assert (best[1] - best[0]) == pytest.approx(4 * (fair[1] - fair[0]), abs=0.05)
    assert (best[1] - best[0]) == pytest.approx(2 * (loss[1] - loss[0]), abs=0.05)


@pytest.mark.parametrize("values", [(0,), (5,), (-5,), (0, 0), (10**9, -(10**9), 1)])
def test_bars_stay_within_the_drawing(values: tuple[int, ...]) -> None:
    for left, right in edges(bars_svg(bars(*values), title="Profit")):
        assert 0 <= left <= right <= WIDTH


def test_many_bars_show_the_best_and_the_worst() -> None:
    svg = bars_svg(bars(*range(-50, 50)), title="Profit")

    assert len(edges(svg)) == MOST_BARS
    assert ">Event 49<" in svg
    assert ">Event -50<" in svg
    assert "80 more between, in the table" in svg


def test_a_label_is_escaped_and_cut_to_its_width() -> None:
    svg = bars_svg([Bar("<script>" + "W" * 90, Decimal(1), "1")], title="a < b")

    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
    assert "W…" in svg
    assert "<title>a &lt; b</title>" in svg


def test_the_chart_is_of_the_reports_rows() -> None:
    report = a_profit_report(rows=3)

    said = pdfs.words(to_pdf(report, issuer=NORTHSIDE))

    assert "100,00 (16,7%)" in said
    assert "-200,00 (-25,0%)" in said
    assert Money.of("100", "EUR").amount in report.rows[1]
