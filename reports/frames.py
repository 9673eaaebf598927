"""A report as a pandas frame and as a workbook.

pandas and XlsxWriter are imported inside the functions: together they cost half a second and 100 MB, and only the
document worker makes workbooks.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reports.tables import NUMERIC, Kind, Report, Value, is_formula, plain, totals_row
from reports.words import clean, instant, one_line

if TYPE_CHECKING:
    import pandas as pd

_WIDTHS: dict[Kind, int] = {"text": 42, "id": 38, "date": 12, "count": 12, "money": 16, "ratio": 10}
_CELL_LIMIT = 32_000


def frame(report: Report) -> pd.DataFrame:
    """The rows as a frame of object columns: Decimals stay Decimals, so sums are exact. The totals are not in it."""
    import pandas as pd

    names = [column.name for column in report.columns]
    return pd.DataFrame(list(report.rows), columns=names, dtype=object)


def to_xlsx(report: Report) -> bytes:
    """A workbook with typed cells and no formula: the table with its totals, and a sheet that says what it is.

    The same report gives the same bytes: the only date inside is the report's own.
    """
    import pandas as pd

    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with pd.ExcelWriter(out, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        book: Any = writer.book
        made = report.as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        book.set_properties({"title": one_line(report.title), "created": made})
        _table_sheet(book, report, frame(report).itertuples(index=False, name=None))
        _about_sheet(book, report)
    return out.getvalue()


def _table_sheet(book: Any, report: Report, rows: Any) -> None:
    sheet = book.add_worksheet("Report")
    formats = _formats(book, report.currency)
    for at, column in enumerate(report.columns):
        sheet.set_column(at, at, _WIDTHS[column.kind])
        sheet.write_string(0, at, column.title, formats["head_right" if column.kind in NUMERIC else "head"])
    sheet.freeze_panes(1, 0)
    line = 0
    for line, row in enumerate(rows, start=1):
        _write_row(sheet, line, row, report, formats, "")
    _write_row(sheet, line + 1, totals_row(report), report, formats, "total_")


def _write_row(
    sheet: Any, line: int, row: Sequence[Value], report: Report, formats: dict[str, Any], style: str
) -> None:
    for at, (column, value) in enumerate(zip(report.columns, row, strict=True)):
        look = formats[style + column.kind]
        if value is None:
            sheet.write_blank(line, at, None, look)
        elif isinstance(value, Decimal | int):
            sheet.write_number(line, at, value, look)
        elif isinstance(value, datetime) or column.kind == "date":
            sheet.write_string(line, at, plain(value, "date", currency=report.currency), look)
        else:
            _write_text(sheet, line, at, str(value), look, formats["quoted"])


def _write_text(sheet: Any, line: int, at: int, text: str, look: Any, quoted: Any) -> None:
    """A text that looks like a formula is marked as text too, so that editing the cell does not bring it to life."""
    sheet.write_string(line, at, clean(text)[:_CELL_LIMIT], quoted if is_formula(text) else look)


def _formats(book: Any, currency: str) -> dict[str, Any]:
    numbers = {"count": "#,##0", "ratio": "0.0%", "money": _money_format(currency)}
    looks: dict[str, Any] = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "head_right": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "align": "right"}),
        "quoted": book.add_format({"quote_prefix": True}),
    }
    for kind in _WIDTHS:
        number = {"num_format": numbers[kind]} if kind in numbers else {}
        looks[kind] = book.add_format(number)
        looks[f"total_{kind}"] = book.add_format({**number, "bold": True, "top": 1, "bottom": 6})
    return looks


def _money_format(currency: str) -> str:
    decimals = plain(Decimal(0), "money", currency=currency)[1:]
    return f"#,##0{decimals}"


def _about_sheet(book: Any, report: Report) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    facts = (
        ("Report", report.title),
        ("As of", instant(report.as_of)),
        ("Known at", instant(report.known_at or report.as_of)),
        ("Currency", report.currency),
        *report.parameters,
        *report.definitions,
    )
    for line, (name, value) in enumerate(facts):
        sheet.write_string(line, 0, clean(name)[:_CELL_LIMIT])
        sheet.write_string(line, 1, clean(value)[:_CELL_LIMIT])
