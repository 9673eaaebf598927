"""What the books say at a moment: sums of the journal's legs, account balances, and the names things had then.

Every sum is read in one way (`db/stretches.py`): totals of closed stretches, and the legs themselves for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from db import ledger
from db.stretches import Scope, said
from db.transaction import Tx
from domain.ledger import Account
from domain.profit import GroupSum

GroupBy = Literal["event", "supplier", "section"]

QUIET = timedelta(seconds=60)
"""How old a moment must be before every transaction that was posting then has surely ended."""

NOBODY = ""
"""The key of legs that belong to no event, supplier or section."""

_ACCOUNTS = {account.code: account for account in Account}
_GROUPS: dict[GroupBy, str] = {"event": "event_id", "supplier": "supplier_id", "section": "section"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """An account's debit-positive balance in one currency."""

    code: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sum:
    key: str
    account: str
    amount: Decimal
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Label:
    key: str
    label: str


def database_now(tx: Tx) -> datetime:
    """The clock that decides what is past."""
    moment: datetime = tx.value("SELECT clock_timestamp()")
    return moment


def await_quiet(tx: Tx, scope: Scope) -> None:
    """Let the transactions end that were posting at that moment, so that an answer for it never changes (accounting.md B).

    Writers stamp their postings and names under a shared hold on the books; whoever has held the books alone for an
    instant since a moment therefore sees all that was recorded up to it. The lock is let go with the savepoint.
    """
    if database_now(tx) - max(scope.as_of, scope.known_at) < QUIET:
        with tx.conn.transaction(force_rollback=True):
            ledger.settle_books(tx)


def flows(tx: Tx, scope: Scope, *, group_by: GroupBy, accounts: Sequence[Account]) -> list[GroupSum]:
    """Legs of these accounts within the scope's days, added up by group and account."""
    return _sums(tx, scope, group_by=group_by, accounts=accounts)


def positions(tx: Tx, scope: Scope, *, group_by: GroupBy, accounts: Sequence[Account]) -> list[GroupSum]:
    """Legs of these accounts from the beginning up to the scope's moment, whatever its days say."""
    return _sums(tx, replace(scope, from_date=None, to_date=None), group_by=group_by, accounts=accounts)


def balances(tx: Tx, scope: Scope) -> list[Balance]:
    """Every account that was ever used up to that moment, by code."""
    parts, values = said(tx, replace(scope, from_date=None, to_date=None))
    return tx.all(
        f"""SELECT account AS code, currency, sum(amount) AS amount FROM ({parts}) AS said
            GROUP BY account, currency ORDER BY account, currency""",
        values,
        into=Balance,
    )


def labels(tx: Tx, *, thing: Literal["event", "supplier"], at: datetime) -> dict[str, str]:
    """What each thing was called at that moment, by id; a thing first named later has its first name."""
    rows = tx.all(
        """SELECT DISTINCT ON (subject_id) subject_id::text AS key, label FROM labels WHERE object = %(thing)s
           ORDER BY subject_id, since > %(at)s, CASE WHEN since <= %(at)s THEN since END DESC, since""",
        {"thing": thing, "at": at},
        into=_Label,
    )
    return {row.key: row.label for row in rows}


def _sums(tx: Tx, scope: Scope, *, group_by: GroupBy, accounts: Sequence[Account]) -> list[GroupSum]:
    parts, values = said(tx, scope)
    rows = tx.all(
        f"""SELECT COALESCE(key::text, '') AS key, account, amount, quantity FROM (
                SELECT {_GROUPS[group_by]} AS key, account, sum(amount) AS amount, sum(quantity)::bigint AS quantity
                FROM ({parts}) AS said WHERE account = ANY(%(accounts)s) GROUP BY {_GROUPS[group_by]}, account) AS sums""",
        {**values, "accounts": [account.code for account in accounts]},
        into=_Sum,
    )
    return [
        GroupSum(key=row.key, account=_ACCOUNTS[row.account], amount=row.amount, quantity=row.quantity) for row in rows
    ]
