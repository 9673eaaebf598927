"""One report definition and its plain forms, JSON and CSV; the API makes these itself, so pandas stays out of here."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from domain.money import Money
from domain.profit import TOTAL
from reports.words import instant

Kind = Literal["text", "id", "date", "count", "money", "ratio"]
Value = Decimal | int | str | date | datetime | None
Row = tuple[Value, ...]

NUMERIC: frozenset[Kind] = frozenset({"count", "money", "ratio"})

_FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_RATIO = Decimal("0.0001")


@dataclass(frozen=True)
class Column:
    """One column: `name` is the key in JSON and CSV, `title` the heading on paper and in spreadsheets.

    `parts` names the printed tables the column stands in; a column without any stands in all of them.
    """

    name: str
    title: str
    kind: Kind
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """What the printed report draws: one bar per row, `value` long, with the row's `note` ratio written beside it."""

    title: str
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """A finished report: every form of it comes from these values and from nothing else.

    `rows` stand in the order of `columns`; `totals` holds the numeric columns that have one, over all rows.
    Money and ratios are Decimals (money in `currency`), counts ints, None where there is no value.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: Mapping[str, Value]
    as_of: datetime
    currency: str
    known_at: datetime | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    chart: Chart | None = None

    def column(self, name: str) -> int:
        """The position of a column. Raises `KeyError` for a name that is none."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        raise KeyError(name)


def to_json(report: Report) -> dict[str, Any]:
    """The answer of contract section 7: `rows`, `totals`, `as_of`; money as objects, ratios as text or null."""
    return {
        "report": report.name,
        "as_of": instant(report.as_of),
        "known_at": instant(report.known_at or report.as_of),
        "currency": report.currency,
        "rows": [_json_row(report, row) for row in report.rows],
        "totals": {
            column.name: _json_value(report.totals[column.name], column.kind, currency=report.currency)
            for column in report.columns
            if column.name in report.totals
        },
    }


def to_csv(report: Report) -> bytes:
    """UTF-8, comma, CRLF: a heading of column names, the rows, the totals last; nothing a spreadsheet would run.

    Plain decimals and ISO dates; an empty cell where there is no value.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    kinds = [column.kind for column in report.columns]
    writer.writerow([column.name for column in report.columns])
    for row in (*report.rows, totals_row(report)):
        writer.writerow([_csv_cell(value, kind, report.currency) for value, kind in zip(row, kinds, strict=True)])
    return out.getvalue().encode()


def totals_row(report: Report) -> Row:
    """The totals as a row of the table: the word in the first text column, nothing where a column has no total."""
    cells: list[Value] = [report.totals.get(column.name) for column in report.columns]
    spoken = next((at for at, column in enumerate(report.columns) if column.kind == "text"), 0)
    cells[spoken] = TOTAL
    return tuple(cells)


def plain(value: Value, kind: Kind, *, currency: str) -> str:
    """A cell as exact, unlocalised text: 1234.50, 0.2500, 2026-11-21. Raises InexactMoney for a lost cent."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal | int) and kind == "money":
        return format(Money.of(value, currency).amount, "f")
    if isinstance(value, Decimal) and kind == "ratio":
        return format(value.quantize(_RATIO, rounding=ROUND_HALF_UP), "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run the text instead of showing it (a plain number is shown)."""
    start = text.lstrip(" \u00a0\ufeff\u200b")[:1]
    return start in _FORMULA_STARTS and start != "" and not _is_number(text)


def _json_row(report: Report, row: Row) -> dict[str, Any]:
    return {
        column.name: _json_value(value, column.kind, currency=report.currency)
        for column, value in zip(report.columns, row, strict=True)
    }


def _json_value(value: Value, kind: Kind, *, currency: str) -> Any:
    if value is None or (kind == "count" and isinstance(value, int)):
        return value
    if kind == "money":
        return {"amount": plain(value, kind, currency=currency), "currency": currency}
    return plain(value, kind, currency=currency)


def _csv_cell(value: Value, kind: Kind, currency: str) -> str:
    text = plain(value, kind, currency=currency)
    return "'" + text if kind not in NUMERIC and is_formula(text) else text


def _is_number(text: str) -> bool:
    digits = text.strip().lstrip("+-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
