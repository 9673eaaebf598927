"""The trial balance names every account that was ever used, and sums to zero at every moment."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from db.transaction import Database, Tx
from reports import trial_balance
from reports.tables import to_json
from tests.makers.access import Agency
from tests.makers.books import a_place, at, buy, cancel, scope, sell

END = at("2026-03-31T12:00")


@pytest.fixture
def tx(database: Database, tenant: Agency) -> Iterator[Tx]:
    with database.transaction(tenant.id) as opened:
        yield opened


def test_accounts_stand_on_their_side(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-02T12:00"))

    told = trial_balance.read(tx, scope(END))

    assert told.rows == (
        ("1100", "Cash clearing", "EUR", Decimal("38.50"), Decimal(0), Decimal("38.50")),
        ("1110", "Customers", "EUR", Decimal(0), Decimal(0), Decimal("0.00")),
        ("1200", "Ticket inventory", "EUR", Decimal(0), Decimal(0), Decimal("0.00")),
        ("2100", "Payables", "EUR", Decimal(0), Decimal("20.00"), Decimal("-20.00")),
        ("2110", "Goods received, not billed", "EUR", Decimal(0), Decimal(0), Decimal("0.00")),
        ("4000", "Ticket sales", "EUR", Decimal(0), Decimal("35.00"), Decimal("-35.00")),
        ("4100", "Service fees", "EUR", Decimal(0), Decimal("3.50"), Decimal("-3.50")),
        ("5000", "Cost of sales", "EUR", Decimal("20.00"), Decimal(0), Decimal("20.00")),
    )


@pytest.mark.parametrize("day", [1, 2, 3, 31])
def test_it_sums_to_zero(tx: Tx, day: int) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T10:00"))
    sell(tx, place, on=at("2026-03-02T10:00"))
    cancel(tx, place, on=at("2026-03-03T10:00"))

    totals = trial_balance.read(tx, scope(at(f"2026-03-{day:02d}T12:00"))).totals

    assert totals["debit"] == totals["credit"] != 0
    assert totals["balance"] == 0


def test_nothing_has_happened_yet(tx: Tx) -> None:
    told = to_json(trial_balance.read(tx, scope(END)))

    zero = {"amount": "0.00", "currency": "EUR"}
    assert (told["rows"], told["totals"]) == ([], {"debit": zero, "credit": zero, "balance": zero})
