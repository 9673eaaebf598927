"""/api/sales/reports and /api/inventory/reports: what was sold, what it earned, and what is still in stock."""

from __future__ import annotations

from api.books import (
    FILES,
    PROBLEMS,
    Answered,
    AsOf,
    Form,
    From,
    GroupBy,
    KnownAt,
    OfEvent,
    ProfitReport,
    RevenueReport,
    To,
    ValueReport,
    answer_report,
    scope_of,
)
from api.desk import Desk
from db.transaction import Tx
from reports.requests import Request

desk = Desk(tag="reports")


@desk.reads("/sales/reports/profit", needs="reports:read", problems=PROBLEMS, shape=ProfitReport, responses=FILES)
def read_profit(
    tx: Tx,
    from_date: From = None,
    to_date: To = None,
    group_by: GroupBy = "event",
    event_id: OfEvent = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    form: Form = "json",
) -> Answered:
    """Read the profit report: sales, the cost of the very seats sold, margin, stock and contribution."""
    scope = scope_of(tx, as_of=as_of, known_at=known_at, from_date=from_date, to_date=to_date, event_id=event_id)
    return answer_report(tx, Request(name="profit", group_by=group_by, scope=scope), form=form)


@desk.reads("/sales/reports/revenue", needs="reports:read", problems=PROBLEMS, shape=RevenueReport, responses=FILES)
def read_revenue(
    tx: Tx,
    from_date: From = None,
    to_date: To = None,
    group_by: GroupBy = "event",
    event_id: OfEvent = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    form: Form = "json",
) -> Answered:
    """Read the revenue report: what was sold, given back and kept."""
    scope = scope_of(tx, as_of=as_of, known_at=known_at, from_date=from_date, to_date=to_date, event_id=event_id)
    return answer_report(tx, Request(name="revenue", group_by=group_by, scope=scope), form=form)


@desk.reads("/inventory/reports/value", needs="reports:read", problems=PROBLEMS, shape=ValueReport, responses=FILES)
def read_inventory_value(
    tx: Tx,
    group_by: GroupBy = "event",
    event_id: OfEvent = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    form: Form = "json",
) -> Answered:
    """Read what the owned, unsold seats cost; equal to account 1200."""
    scope = scope_of(tx, as_of=as_of, known_at=known_at, event_id=event_id)
    return answer_report(tx, Request(name="value", group_by=group_by, scope=scope), form=form)
