"""The inventory's value: owned, unsold seats at their own cost, equal to account 1200 (accounting.md C)."""

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


def read(tx: Tx, scope: Scope, *, group_by: GroupBy = "event") -> Report:
    """The report of contract section 7: from movements, never from what seats are doing today."""
    told = begun(tx, scope)
    found = rules.valuation(
        sums.positions(tx, scope, group_by=group_by, accounts=(Account.TICKET_INVENTORY,)),
        labels=labels(tx, scope, group_by=group_by),
        currency=told.currency,
    )
    return books.valuation(worth_saying(found), group_by=group_by, scope=told)
