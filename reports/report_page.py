"""A report on paper: its columns shared out over readable tables, its chart, its totals, its words explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from reports import pages, render
from reports.charts import Bar, bars_svg
from reports.papers import Issuer
from reports.tables import NUMERIC, Column, Kind, Report, Row, Value, plain, totals_row
from reports.words import Words, instant, language, one_line

MOST_ROWS = 1500
MOST_CELLS = 12_000
"""What one report prints at most: layout time and memory grow faster than the table (performance.md 2f)."""

_SHARES: dict[Kind, int] = {"text": 48, "date": 22, "count": 15, "money": 24, "ratio": 16, "id": 0}
_LABEL_LETTERS = 120


@dataclass(frozen=True)
class PrintedColumn:
    """A column as the page shows it: `width` in percent of the table."""

    title: str
    right: bool
    width: str


@dataclass(frozen=True)
class Part:
    """One printed table of the report: its columns, its cells as text, the totals, and how many rows it leaves out."""

    title: str
    columns: tuple[PrintedColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...]
    left_out: int


def to_pdf(report: Report, *, issuer: Issuer) -> bytes:
    """The report on landscape pages in the issuer's own number format; totals over all rows.

    More rows than `MOST_ROWS` or `MOST_CELLS` allow are left out, and the page says so. Untagged: finance prints long
    tables, and tags would cost a quarter of the time and triple the file.
    """
    parts = _parts(report, issuer.words)
    html = pages.html(
        "report.html",
        issuer=issuer,
        words=issuer.words,
        title=f"{report.title}, {issuer.name}",
        language=language(issuer.locale),
        stamp=instant(report.as_of.replace(microsecond=0)),
        report=report,
        parts=parts,
        chart=_chart(report, issuer.words),
    )
    return render.pdf(html, variant=None)


def _parts(report: Report, words: Words) -> tuple[Part, ...]:
    titles = list(dict.fromkeys(part for column in report.columns for part in column.parts)) or [report.title]
    places = {title: _places(report.columns, title) for title in titles}
    most = min(MOST_ROWS, MOST_CELLS // sum(map(len, places.values())))
    return tuple(_part(report, words, title, places[title], report.rows[:most]) for title in titles)


def _places(columns: Sequence[Column], title: str) -> list[int]:
    """The positions of the columns that stand in the table of that title; keys are for machines."""
    return [
        at for at, column in enumerate(columns) if column.kind != "id" and (not column.parts or title in column.parts)
    ]


def _part(report: Report, words: Words, title: str, places: Sequence[int], shown: Sequence[Row]) -> Part:
    columns = [report.columns[at] for at in places]
    return Part(
        title=title,
        columns=_printed(columns),
        rows=tuple(_cells(row, places, columns, words) for row in shown),
        totals=_cells(totals_row(report), places, columns, words, blank=""),
        left_out=len(report.rows) - len(shown),
    )


def _printed(columns: Sequence[Column]) -> tuple[PrintedColumn, ...]:
    whole = sum(_SHARES[column.kind] for column in columns)
    return tuple(
        PrintedColumn(
            title=column.title,
            right=column.kind in NUMERIC,
            width=f"{100 * _SHARES[column.kind] / whole:.2f}",
        )
        for column in columns
    )


def _cells(
    row: Row, places: Sequence[int], columns: Sequence[Column], words: Words, *, blank: str = "\u2013"
) -> tuple[str, ...]:
    return tuple(
        blank if row[at] is None else _said(row[at], column.kind, words)
        for at, column in zip(places, columns, strict=True)
    )


def _said(value: Value, kind: Kind, words: Words) -> str:
    if isinstance(value, str):
        return one_line(value, limit=_LABEL_LETTERS)
    if isinstance(value, Decimal | int) and kind == "money":
        return words.amount(Decimal(value))
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, Decimal):
        return words.percent(value)
    return plain(value, kind, currency=words.currency)


def _chart(report: Report, words: Words) -> Markup | None:
    if report.chart is None or not report.rows:
        return None
    label, value = report.column(report.chart.label), report.column(report.chart.value)
    note = report.column(report.chart.note) if report.chart.note else None
    bars = [
        Bar(label=str(row[label]), value=length, text=_bar_text(length, row[note] if note is not None else None, words))
        for row in report.rows
        if isinstance(length := row[value], Decimal)
    ]
    return bars_svg(bars, title=report.chart.title)


def _bar_text(value: Decimal, note: Value, words: Words) -> str:
    ratio = f" ({words.percent(note)})" if isinstance(note, Decimal) else ""
    return words.amount(value) + ratio
