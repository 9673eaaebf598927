"""The books' reports as definitions: which columns, in which words, with which chart (accounting.md C)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from domain import profit as profit_rules
from domain.money import Money
from domain.profit import ProfitRow, RevenueRow, ValuationRow
from reports.tables import NUMERIC, Chart, Column, Report, Value

GroupBy = Literal["event", "supplier", "section"]

_SALES = "Sales and margin"
_REST = "Contribution and stock"
_GROUP_TITLES: dict[GroupBy, str] = {"event": "Event", "supplier": "Supplier", "section": "Section"}

_PROFIT = (
    Column("tickets_sold", "Sold", "count", (_SALES,)),
    Column("tickets_refunded", "Given back", "count", (_SALES,)),
    Column("gross_sales", "Gross sales", "money", (_SALES,)),
    Column("discounts", "Discounts", "money", (_SALES,)),
    Column("refunds", "Refunds", "money", (_SALES,)),
    Column("net_revenue", "Net revenue", "money", (_SALES,)),
    Column("fees", "Fees", "money", (_REST,)),
    Column("cancellation_income", "Cancellation income", "money", (_REST,)),
    Column("cost_of_sales", "Cost of sales", "money", (_SALES,)),
    Column("gross_profit", "Gross profit", "money", (_SALES, _REST)),
    Column("margin", "Margin", "ratio", (_SALES,)),
    Column("markup", "Markup", "ratio", (_SALES,)),
    Column("unsold_seats", "Unsold seats", "count", (_REST,)),
    Column("unsold_cost", "Unsold, at cost", "money", (_REST,)),
    Column("written_off_seats", "Written off", "count", (_REST,)),
    Column("written_off_cost", "Written off, at cost", "money", (_REST,)),
    Column("provider_fees", "Provider fees", "money", (_REST,)),
    Column("contribution", "Contribution", "money", (_REST,)),
)
_REVENUE_NAMES = frozenset(
    {"tickets_sold", "tickets_refunded", "gross_sales", "discounts", "refunds", "net_revenue"}
    | {"fees", "cancellation_income"}
)
_VALUATION = (Column("seats", "Seats", "count"), Column("value", "Value at cost", "money"))
_MEANINGS = {
    "tickets_sold": ("Sold", "confirmed tickets; a seat sold again counts again"),
    "tickets_refunded": ("Given back", "confirmed tickets cancelled, whatever was paid back"),
    "gross_sales": ("Gross sales", "list prices before discount, tax and fee"),
    "discounts": ("Discounts", "as granted at the sale"),
    "refunds": ("Refunds", "discounted prices of cancelled tickets, on the day of cancelling, paid out yet or not"),
    "net_revenue": ("Net revenue", "gross sales less discounts and refunds"),
    "cost_of_sales": ("Cost of sales", "the cost of the very seats sold"),
    "gross_profit": ("Gross profit", "net revenue less cost of sales"),
    "margin": ("Margin", "gross profit by net revenue; a dash when there is none"),
    "markup": ("Markup", "gross profit by cost of sales; a dash when there is none"),
    "fees": ("Fees", "service fees less fees given back"),
    "cancellation_income": ("Cancellation income", "prices kept when tickets were cancelled"),
    "unsold_seats": ("Unsold", "owned and not sold at the as-of time, at their own cost"),
    "written_off_seats": ("Written off", "unsold when the event was over, at their own cost"),
    "provider_fees": ("Provider fees", "what payment providers kept"),
    "value": ("Value at cost", "what each owned, unsold seat itself cost; held, reserved and blocked seats included"),
    "contribution": (
        "Contribution",
        "gross profit, fees and cancellation income less written-off cost and provider fees",
    ),
}


@dataclass(frozen=True)
class Scope:
    """What a report covers: the moment it speaks of, what was known then, and the filters, named as a reader says them."""

    as_of: datetime
    currency: str
    known_at: datetime | None = None
    parameters: tuple[tuple[str, str], ...] = ()


def profit(found: profit_rules.Report[ProfitRow], *, group_by: GroupBy, scope: Scope) -> Report:
    """The profit report of contract section 7, from the rows that the journal gave."""
    chart = Chart(title="Gross profit and margin", label="label", value="gross_profit", note="margin")
    return _report("profit", f"Profit by {group_by}", profit_columns(group_by), found, scope, chart)


def revenue(found: profit_rules.Report[RevenueRow], *, group_by: GroupBy, scope: Scope) -> Report:
    """What was sold and kept, without cost."""
    chart = Chart(title="Net revenue", label="label", value="net_revenue")
    return _report("revenue", f"Revenue by {group_by}", revenue_columns(group_by), found, scope, chart)


def valuation(found: profit_rules.Report[ValuationRow], *, group_by: GroupBy, scope: Scope) -> Report:
    """Owned, unsold seats at their own cost; equals account 1200."""
    columns = (*_keys(group_by), *_VALUATION)
    chart = Chart(title="Value at cost", label="label", value="value")
    return _report("value", f"Inventory value by {group_by}", columns, found, scope, chart)


def profit_columns(group_by: GroupBy) -> tuple[Column, ...]:
    """Key, label and the eighteen figures, in the contract's order."""
    return (*_keys(group_by), *_PROFIT)


def revenue_columns(group_by: GroupBy) -> tuple[Column, ...]:
    """Key, label and the figures of the profit report that are about sales."""
    figures = (Column(c.name, c.title, c.kind) for c in _PROFIT if c.name in _REVENUE_NAMES)
    return (*_keys(group_by), *figures)


def _report(
    name: str, title: str, columns: tuple[Column, ...], found: profit_rules.Report[Any], scope: Scope, chart: Chart
) -> Report:
    return Report(
        name=name,
        title=title,
        columns=columns,
        rows=tuple(tuple(_value(row, column) for column in columns) for row in found.rows),
        totals={column.name: _value(found.totals, column) for column in columns if column.kind in NUMERIC},
        as_of=scope.as_of,
        currency=scope.currency,
        known_at=scope.known_at,
        parameters=scope.parameters,
        definitions=tuple(_MEANINGS[column.name] for column in columns if column.name in _MEANINGS),
        chart=chart,
    )


def _value(row: object, column: Column) -> Value:
    """A figure as the tables take it: an amount without its currency, a ratio as a number again."""
    value = getattr(row, column.name)
    if isinstance(value, Money):
        return value.amount
    if column.kind == "ratio" and value is not None:
        return Decimal(value)
    figure: Value = value
    return figure


def _keys(group_by: GroupBy) -> tuple[Column, Column]:
    return Column("key", "Key", "id"), Column("label", _GROUP_TITLES[group_by], "text")
