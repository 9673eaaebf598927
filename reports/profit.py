"""The profit report: the journal's sales, costs and stock at a moment, by event, supplier or section (accounting.md C)."""

from __future__ import annotations

from db import reports as sums
from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Tx
from domain import profit as rules
from domain.ledger import Account
from domain.profit import GroupSum
from reports import books
from reports.scopes import begun, labels, worth_saying
from reports.tables import Report

FLOWS = (
    Account.TICKET_SALES,
    Account.DISCOUNTS,
    Account.REFUNDS,
    Account.SERVICE_FEES,
    Account.CANCELLATION_INCOME,
    Account.COST_OF_SALES,
    Account.UNSOLD_WRITTEN_OFF,
    Account.PROVIDER_FEES,
)
STOCK = (Account.TICKET_INVENTORY,)


def read(tx: Tx, scope: Scope, *, group_by: GroupBy = "event") -> Report:
    """The report of contract section 7; an answer for a moment never changes later."""
    told = begun(tx, scope)
    flows, positions = _summed(tx, scope, group_by=group_by)
    found = rules.profit(
        flows,
        positions=positions,
        labels=labels(tx, scope, group_by=group_by),
        currency=told.currency,
    )
    return books.profit(worth_saying(found), group_by=group_by, scope=told)


def _summed(tx: Tx, scope: Scope, *, group_by: GroupBy) -> tuple[list[GroupSum], list[GroupSum]]:
    """Flows and positions; the books are read once where the scope has no days that leave something out."""
    if scope.from_date is None and scope.to_date is None:
        both = sums.flows(tx, scope, group_by=group_by, accounts=(*FLOWS, *STOCK))
        return both, both
    return (
        sums.flows(tx, scope, group_by=group_by, accounts=FLOWS),
        sums.positions(tx, scope, group_by=group_by, accounts=STOCK),
    )
