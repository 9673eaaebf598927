"""What the books' calls share: the moment and days asked for, the report's shapes, and the four forms it is given in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from activities.documents import request_report
from api.asking import fault
from api.desk import Answer, Pending
from api.documents import disposition
from api.problems import Rejected
from api.shapes import Instant, MoneyShape, Shape
from db import access
from db import reports as sums
from db.stretches import Scope
from db.transaction import Tx
from reports import kinds, requests
from reports.requests import Request
from reports.tables import to_csv, to_json
from reports.words import instant

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _as_written(given: object) -> object:
    """Only a day as people write it: 86400 or a midnight, which pydantic would take for one, is somebody's mistake."""
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise PydanticCustomError("day", "must be a day such as 2026-11-20")
    return given


Day = Annotated[date, BeforeValidator(_as_written)]
"""A day of the agency's in a query."""
Forms = Literal["json", "csv", "xlsx", "pdf"]
Form = Annotated[Forms, Query(alias="format", description="The report's form")]
GroupBy = Annotated[Literal["event", "supplier", "section"], Query(description="What makes a row")]
From = Annotated[Day | None, Query(alias="from", description="First day, the agency's, inclusive")]
To = Annotated[Day | None, Query(alias="to", description="Last day, the agency's, inclusive")]
OfEvent = Annotated[UUID | None, Query(description="Only this event")]
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="The moment the report speaks of: RFC 3339, or a past day for its end; default now",
        examples=["2026-11-20"],
    ),
]
KnownAt = Annotated[
    str | None,
    Query(max_length=40, description="What was recorded up to then, in the same forms; default as_of"),
]
Answered = dict[str, Any] | Answer | Pending

FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            kinds.XLSX: {"schema": {"type": "string", "format": "binary"}},
            kinds.PDF: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
CSV = "text/csv; charset=utf-8"
PROBLEMS: Sequence[str] = ("document_pending", "document_failed")

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+ -]\d\d:\d\d)", re.ASCII)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_YEAR = 1970


class ReportShape(Shape):
    """What every report says beside its rows; the same `as_of` and `known_at` give the same bytes always."""

    report: str
    as_of: Instant
    known_at: Instant
    currency: str


class RevenueFigures(Shape):
    """What was sold and kept (accounting words: gross before discount, tax and fee; refunds on the day of cancelling)."""

    tickets_sold: int
    tickets_refunded: int
    gross_sales: MoneyShape
    discounts: MoneyShape
    refunds: MoneyShape
    net_revenue: MoneyShape
    fees: MoneyShape
    cancellation_income: MoneyShape


class ProfitFigures(RevenueFigures):
    """Sales, the cost of the very seats sold, and what is left unsold; ratios are text with 4 decimals."""

    cost_of_sales: MoneyShape
    gross_profit: MoneyShape
    margin: str | None
    markup: str | None
    unsold_seats: int
    unsold_cost: MoneyShape
    written_off_seats: int
    written_off_cost: MoneyShape
    provider_fees: MoneyShape
    contribution: MoneyShape


class ValueFigures(Shape):
    """Owned, unsold seats at their own cost."""

    seats: int
    value: MoneyShape


class ProfitRow(ProfitFigures):
    """One group's figures."""

    key: str
    label: str


class RevenueRow(RevenueFigures):
    """One group's figures."""

    key: str
    label: str


class ValueRow(ValueFigures):
    """One group's figures."""

    key: str
    label: str


class ProfitReport(ReportShape):
    """The profit report."""

    rows: Sequence[ProfitRow]
    totals: ProfitFigures


class RevenueReport(ReportShape):
    """The revenue report."""

    rows: Sequence[RevenueRow]
    totals: RevenueFigures


class ValueReport(ReportShape):
    """The inventory's value; its total equals account 1200."""

    rows: Sequence[ValueRow]
    totals: ValueFigures


class BalanceFigures(Shape):
    """Debit, credit, and debit less credit."""

    debit: MoneyShape
    credit: MoneyShape
    balance: MoneyShape


class BalanceRow(BalanceFigures):
    """One account."""

    code: str
    name: str
    currency: str


class TrialBalance(ReportShape):
    """Every account that was ever used; balances sum to zero."""

    rows: Sequence[BalanceRow]
    totals: BalanceFigures


def scope_of(
    tx: Tx,
    *,
    as_of: str | None,
    known_at: str | None,
    from_date: date | None = None,
    to_date: date | None = None,
    event_id: UUID | None = None,
) -> Scope:
    """What a report covers; without `as_of` the database's now. Rejected `invalid` for the future and backward days."""
    check_days(from_date, to_date)
    now = sums.database_now(tx)
    zone = ZoneInfo(access.tenant(tx).timezone)
    moment = _past("as_of", as_of, now=now, zone=zone) if as_of is not None else now
    known = _past("known_at", known_at, now=now, zone=zone) if known_at is not None else moment
    return Scope(as_of=moment, known_at=known, from_date=from_date, to_date=to_date, event_id=event_id)


def check_days(from_date: date | None, to_date: date | None) -> None:
    """Rejected `invalid` for a stretch of days that ends before it begins."""
    if from_date and to_date and to_date < from_date:
        raise _invalid("from", f"the days run backward, from {from_date} to {to_date}")


def answer_report(tx: Tx, request: Request, *, form: Forms) -> Answered:
    """The report as JSON or CSV at once, or as a file that is made elsewhere."""
    if form == "xlsx" or form == "pdf":  # noqa: PLR1714 -- so that mypy sees the two words
        return Pending(request_report(tx, request, form=form))
    report = requests.read(tx, request)
    if form == "csv":
        name = disposition(f"{report.name}-{instant(report.as_of)[:10]}.csv")
        return Answer(to_csv(report), CSV, headers={"Content-Disposition": name})
    return to_json(report)


def sides(amount: Decimal, currency: str) -> tuple[MoneyShape, MoneyShape]:
    """A debit-positive amount as debit and credit."""
    zero = Decimal(0)
    return MoneyShape.of(max(amount, zero), currency), MoneyShape.of(max(-amount, zero), currency)


def _past(name: str, text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment a parameter names; a day stands for its end. Rejected `invalid` unless it is one and is over."""
    moment = _moment(text.strip(), zone)
    if moment is None or moment.year < _FIRST_YEAR:
        raise _invalid(name, "not a moment: write 2026-11-21T09:30:00Z or a day such as 2026-11-20")
    if moment > now:
        raise _invalid(name, f"{text} is not over yet; a report never speaks of the future")
    return moment


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        if _DAY.fullmatch(text):
            # One day later may be a day too late for the calendar, which is a ValueError's sibling.
            next_day = date.fromisoformat(text) + timedelta(days=1)
            return (datetime.combine(next_day, time(), zone) - _MICROSECOND).astimezone(UTC)
        written = _INSTANT.fullmatch(text)
        if written is None:
            return None
        day, clock, fraction, offset = written.groups()
        # A plus sign that nobody encoded arrives as a blank.
        exact = f"{day}T{clock}{(fraction or '.0')[:7]}{offset.upper().replace(' ', '+').replace('Z', '+00:00')}"
        return datetime.fromisoformat(exact).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _invalid(name: str, words: str) -> Rejected:
    return Rejected("invalid", words, errors=[fault(f"?{name}", "invalid", words)])
