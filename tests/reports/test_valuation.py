"""The inventory's value is what the seats in stock themselves cost, and nothing but account 1200."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from db.transaction import Database, Tx
from reports import trial_balance, valuation
from tests.makers.access import Agency
from tests.makers.books import a_place, at, buy, cancel, scope, sell, write_off
from tests.makers.trade import a_basket, a_stock

END = at("2026-03-31T12:00")


@pytest.fixture
def tx(database: Database, tenant: Agency) -> Iterator[Tx]:
    with database.transaction(tenant.id) as opened:
        yield opened


def inventory_account(tx: Tx) -> Decimal:
    return sum(
        (Decimal(str(row[5])) for row in trial_balance.read(tx, scope(END)).rows if row[0] == "1200"), Decimal(0)
    )


def test_each_seat_is_worth_its_own_cost(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"), cost=Decimal("20.00"))
    buy(tx, place.another(), on=at("2026-03-02T12:00"), cost=Decimal("19.99"))

    told = valuation.read(tx, scope(END))

    assert told.totals == {"seats": 2, "value": Decimal("39.99")}


def test_it_is_the_balance_of_account_1200_after_every_kind_of_move(tx: Tx) -> None:
    first = a_place(tx)
    places = [first, *(first.another() for _ in range(4))]
    for place in places:
        buy(tx, place, on=at("2026-03-01T12:00"))
    for place in places[:2]:
        sell(tx, place, on=at("2026-03-02T12:00"))
    cancel(tx, places[0], on=at("2026-03-03T12:00"))
    write_off(tx, places[4], on=at("2026-03-04T12:00"))

    told = valuation.read(tx, scope(END))

    assert told.totals == {"seats": 3, "value": Decimal("60.00")}
    assert inventory_account(tx) == Decimal("60.00")


def test_what_is_sold_out_is_not_listed(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-02T12:00"))

    assert valuation.read(tx, scope(END)).rows == ()


def test_a_past_moment_has_the_stock_of_that_moment(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-20T12:00"))

    told = valuation.read(tx, scope(at("2026-03-19T12:00")))

    assert told.totals == {"seats": 1, "value": Decimal("20.00")}


def test_reserved_seats_are_still_in_stock(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, seats=3)
    a_basket(database, stock, stock.seats[:2])

    with database.transaction(tenant.id) as tx:
        told = valuation.read(tx, scope(tx.value("SELECT clock_timestamp()")))

    assert told.totals == {"seats": 3, "value": Decimal("60.00")}
