"""The trial balance: every account that was ever used, with its balance on one side or the other."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from db import reports as sums
from db.reports import Balance
from db.stretches import Scope
from db.transaction import Tx
from domain.ledger import Account
from reports.scopes import begun
from reports.tables import Column, Report, Row, Value

COLUMNS = (
    Column("code", "Account", "text"),
    Column("name", "Name", "text"),
    Column("currency", "Currency", "text"),
    Column("debit", "Debit", "money"),
    Column("credit", "Credit", "money"),
    Column("balance", "Balance", "money"),
)
_ZERO = Decimal(0)
_NAMES = {account.code: account.label for account in Account}
_DEFINITIONS = (
    ("Debit, credit", "the account's balance, on the side where it stands"),
    ("Balance", "debit less credit; over all accounts it is zero"),
)


def read(tx: Tx, scope: Scope) -> Report:
    """Debit, credit and balance (debit less credit) per account at the scope's moment; they sum to zero."""
    told = begun(tx, scope)
    balances = sums.balances(tx, scope)
    return Report(
        name="trial-balance",
        title="Trial balance",
        columns=COLUMNS,
        rows=tuple(_row(balance) for balance in balances),
        totals=_totals(balances),
        as_of=told.as_of,
        known_at=told.known_at,
        currency=told.currency,
        parameters=told.parameters,
        definitions=_DEFINITIONS,
    )


def _row(balance: Balance) -> Row:
    debit, credit = _sides(balance)
    return balance.code, _NAMES[balance.code], balance.currency, debit, credit, balance.amount


def _totals(balances: Sequence[Balance]) -> dict[str, Value]:
    sides = [_sides(balance) for balance in balances]
    return {
        "debit": sum((debit for debit, _ in sides), _ZERO),
        "credit": sum((credit for _, credit in sides), _ZERO),
        "balance": sum((balance.amount for balance in balances), _ZERO),
    }


def _sides(balance: Balance) -> tuple[Decimal, Decimal]:
    return max(balance.amount, _ZERO), max(-balance.amount, _ZERO)
