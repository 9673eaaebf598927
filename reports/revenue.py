"""The revenue report: what was sold, given back and kept, without cost (accounting.md C)."""

from __future__ import annotations

from db import reports as sums
from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Tx
from domain import profit as rules
from domain.ledger import Account
from reports import books
from reports.scopes import begun, labels, worth_saying
from reports.tables import Report

FLOWS = (
    Account.TICKET_SALES,
    Account.DISCOUNTS,
    Account.REFUNDS,
    Account.SERVICE_FEES,
    Account.CANCELLATION_INCOME,
)


def read(tx: Tx, scope: Scope, *, group_by: GroupBy = "event") -> Report:
    """The report of contract section 7; an answer for a moment never changes later."""
    told = begun(tx, scope)
    found = rules.revenue(
        sums.flows(tx, scope, group_by=group_by, accounts=FLOWS),
        labels=labels(tx, scope, group_by=group_by),
        currency=told.currency,
    )
    return books.revenue(worth_saying(found), group_by=group_by, scope=told)
