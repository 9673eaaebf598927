"""Without its guards reserving would sell a seat twice or lock up: each of them taken away on its own."""

from __future__ import annotations

import threading
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import DeadlockDetected, UniqueViolation

from db import reserving
from db.ids import new_id
from db.transaction import Database, Tx
from tests.conftest import CloneMaker
from tests.makers.access import an_agency
from tests.makers.reserving import WINDOW, a_customer, buy, live_tickets
from tests.makers.selling import Shop, a_shop, at_once

GUARD = """
      AND (s.status = 'AVAILABLE' OR (s.status = 'RESERVED' AND s.held_until <= now()))
    ORDER BY s.id FOR NO KEY UPDATE OF s"""
ENDS_LAPSED = "WHERE whole.got_all AND l.status = 'RESERVED'"
BY_ID = "ORDER BY s.id FOR NO KEY UPDATE OF s"


def without_guard(monkeypatch: pytest.MonkeyPatch, *, buyers: int) -> None:
    """Check, then save: the statement without its condition and lock, and nobody saves before everybody has checked."""
    assert GUARD in reserving.TAKE
    assert ENDS_LAPSED in reserving.TAKE
    naive = reserving.TAKE.replace(GUARD, "").replace(ENDS_LAPSED, "WHERE false")
    monkeypatch.setattr(reserving, "TAKE", naive)
    read, all_have_read = reserving.read_basket, threading.Barrier(buyers)

    def read_and_wait(tx: Tx, **which: object) -> list[reserving.BasketSeat]:
        found = read(tx, **which)  # type: ignore[arg-type]
        all_have_read.wait(timeout=20)
        return found

    monkeypatch.setattr(reserving, "read_basket", read_and_wait)


def test_without_condition_and_lock_the_index_still_lets_one_win(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    customer_id = a_customer(shop)
    without_guard(monkeypatch, buyers=8)

    outcomes = buy(shop.database, shop, 8, [1], customer_id)

    assert live_tickets(shop, 1) == 1
    assert sum(isinstance(outcome, UniqueViolation) for outcome in outcomes) == 7


def test_without_the_index_too_one_seat_is_sold_many_times(
    another_clone: CloneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = another_clone()
    with psycopg.connect(alone.owner_url, autocommit=True) as connection:
        connection.execute("DROP INDEX uq_tickets_live_seat")
    with Database(alone.app_url, size=10) as database:
        shop = a_shop(database, an_agency(database))
        customer_id = a_customer(shop)
        without_guard(monkeypatch, buyers=8)

        buy(database, shop, 8, [1], customer_id)

        assert live_tickets(shop, 1) == 8
        assert any(fault.startswith("a seat with two live tickets") for fault in shop.faults())


def slowly(order: str) -> str:
    """The taking statement, with time between one lock and the next, so that two of them surely meet."""
    assert BY_ID in reserving.TAKE
    lock = BY_ID.replace("s.id", order)
    one_by_one = reserving.TAKE.replace("locked AS (", "locked AS (SELECT l.id, l.status FROM (", 1)
    return one_by_one.replace(BY_ID, f"{lock}) AS l, LATERAL pg_sleep(0.05)")


def opposite_baskets(shop: Shop) -> list[object]:
    """Two customers want the same four seats, one from the left and one from the right."""
    customer_id = a_customer(shop)
    basket = _basket(shop, customer_id, [1, 2, 3, 4])

    def take(number: int) -> reserving.Reserved | None:
        turned = basket if number else basket[::-1]
        with shop.tx() as tx:
            return reserving.take(tx, _new_booking(shop, customer_id, turned), message_id=new_id(), process={})

    return list(at_once(2, take))


def _basket(shop: Shop, customer_id: UUID, places: list[int]) -> list[reserving.BasketSeat]:
    with shop.tx() as tx:
        return reserving.read_basket(
            tx, event_id=shop.stock.event_id, customer_id=customer_id, seat_ids=shop.seats(*places)
        )


def _new_booking(shop: Shop, customer_id: UUID, basket: list[reserving.BasketSeat]) -> reserving.NewBooking:
    tickets = [
        reserving.NewTicket(
            id=new_id(),
            event_seat_id=seat.seat_id or new_id(),
            price=seat.retail_price or Decimal(0),
            fee=Decimal(0),
            tax=Decimal(0),
            barcode=new_id().hex,
        )
        for seat in basket
    ]
    total = sum((ticket.price for ticket in tickets), Decimal(0))
    return reserving.NewBooking(
        id=new_id(),
        customer_id=customer_id,
        event_id=shop.stock.event_id,
        window=WINDOW,
        currency="EUR",
        subtotal=total,
        service_fee=Decimal(0),
        tax_amount=Decimal(0),
        total_amount=total,
        policy={},
        tickets=tickets,
    )


def test_seats_locked_in_id_order_queue_where_any_other_order_deadlocks(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_order, as_asked = slowly("s.id"), slowly("w.position")

    monkeypatch.setattr(reserving, "TAKE", as_asked)
    asked = opposite_baskets(shop)
    monkeypatch.setattr(reserving, "TAKE", in_order)
    with shop.tx() as tx:
        tx.run("UPDATE event_seats SET status = 'AVAILABLE', held_until = NULL WHERE status = 'RESERVED'")
        tx.run("UPDATE tickets SET status = 'CANCELLED'")
    ordered = opposite_baskets(shop)

    assert sum(isinstance(outcome, DeadlockDetected) for outcome in asked) == 1
    assert sum(isinstance(outcome, reserving.Reserved) for outcome in ordered) == 1
    assert ordered.count(None) == 1
