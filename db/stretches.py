"""Where the legs that a question is about are read: in totals of closed months, of closed days, or one by one.

A question covers legs recorded up to `known_at`, effective up to `as_of`, accounted within its days. A leg is read in a
MONTH's totals if it was recorded in a closed month and its effective and accounting months lie whole within the question;
else in a DAY's totals if it was recorded in a closed day and its effective day lies whole within it; else itself. Each leg
falls to exactly one of the three, so the sums are those of the legs, to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from db import totals
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which legs a report reads: effective up to `as_of`, recorded up to `known_at`; days are the agency's, inclusive."""

    as_of: datetime
    known_at: datetime
    from_date: date | None = None
    to_date: date | None = None
    event_id: UUID | None = None


_COLUMNS = "account, currency, event_id, supplier_id, section, amount, quantity"
_LEG = ", ".join(f"l.{column}" for column in _COLUMNS.split(", "))
_LEGS = f"SELECT {_LEG} FROM journal_entries e JOIN journal_legs l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id"
_TOTALS = f"SELECT {_COLUMNS} FROM ledger_totals WHERE tenant_id = %(tenant)s"
_MONTHS = """span = 'MONTH' AND ends_at <= %(months)s AND effective_from < %(cut_month)s
    AND accounting_from >= %(first_month)s AND accounting_from < %(end_of_months)s"""
_DAYS = "span = 'DAY' AND accounting_from BETWEEN %(from)s AND %(to)s"

# As long as nothing is closed there is one table to read.
_EVERYTHING = f"""SELECT {_COLUMNS} FROM journal_legs WHERE tenant_id = %(tenant)s AND recorded_at <= %(known_at)s
    AND effective_at <= %(as_of)s AND accounting_date BETWEEN %(from)s AND %(to)s"""
_PARTS = (
    f"{_TOTALS} AND {_MONTHS}",
    # Days recorded since the last closed month; of those before it the days around which the question cuts a month.
    f"{_TOTALS} AND {_DAYS} AND ends_at > %(months)s AND ends_at <= %(days)s AND effective_from < %(cut_day)s",
    f"""{_TOTALS} AND {_DAYS} AND ends_at <= %(months)s AND effective_from >= %(cut_month)s
        AND effective_from < %(cut_day)s""",
    f"""{_TOTALS} AND {_DAYS} AND ends_at <= %(months)s AND effective_from < %(cut_month)s
        AND (accounting_from < %(first_month)s OR accounting_from >= %(end_of_months)s)""",
    # What was recorded since the last closed day; of what was before it the day that `as_of` cuts.
    f"""{_LEGS} WHERE e.tenant_id = %(tenant)s AND e.recorded_at >= %(days)s AND e.recorded_at <= %(known_at)s
        AND l.effective_at <= %(as_of)s AND l.accounting_date BETWEEN %(from)s AND %(to)s""",
    f"""{_LEGS} WHERE e.tenant_id = %(tenant)s AND e.recorded_at < %(days)s AND e.effective_at >= %(cut_day_begins)s
        AND e.effective_at <= %(as_of)s AND l.accounting_date BETWEEN %(from)s AND %(to)s""",
)


def said(tx: Tx, scope: Scope) -> tuple[str, dict[str, object]]:
    """A query for `account currency event_id supplier_id section amount quantity` and its parameters.

    Its rows add up to what the legs within the scope add up to, by any of these columns; an account is there if a leg is.
    """
    closed = totals.closed(tx, known_at=scope.known_at)
    cut = scope.as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    values: dict[str, object] = {
        "tenant": tx.tenant_id,
        "as_of": scope.as_of,
        "known_at": scope.known_at,
        "from": scope.from_date or date.min,
        "to": scope.to_date or date.max,
        "event": scope.event_id,
        "days": closed.days,
        "months": closed.months,
        "cut_day_begins": cut,
        "cut_day": cut.date(),
        "cut_month": cut.date().replace(day=1),
        "first_month": _month_from(scope.from_date),
        "end_of_months": _month_after(scope.to_date),
    }
    parts = _EVERYTHING if closed.days == totals.BEGINNING else " UNION ALL ".join(_PARTS)
    if scope.event_id is not None:
        parts = f"SELECT {_COLUMNS} FROM ({parts}) AS everything WHERE event_id = %(event)s"
    return parts, values


def _month_from(day: date | None) -> date:
    """The first day of the first month that begins on that day or later."""
    if day is None or day.day == 1:
        return day or date.min
    if (day.year, day.month) == (date.max.year, date.max.month):
        return date.max
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _month_after(day: date | None) -> date:
    """The first day of the first month of which that day is not the end or past it."""
    return date.max if day is None or day == date.max else (day + timedelta(days=1)).replace(day=1)
