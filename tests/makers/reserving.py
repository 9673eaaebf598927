"""Reserving as its tests do it: one basket, or many buyers of the same seats at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from activities import reserving as steps
from activities.reserving import Reservation
from db import customers
from db.customers import CustomerFacts
from db.transaction import Database, Tx
from tests.makers.selling import Shop, at_once

WINDOW = timedelta(minutes=15)


def a_customer(shop: Shop) -> UUID:
    with shop.tx() as tx:
        return customers.add(
            tx, CustomerFacts(name="Erika", email="e@example.org", phone=None, customer_type="INDIVIDUAL")
        )


def reserve(
    tx: Tx, shop: Shop, *places: int, customer_id: UUID | None = None, window: timedelta = WINDOW
) -> Reservation:
    return steps.reserve(
        tx,
        customer_id=customer_id or a_customer(shop),
        event_id=shop.stock.event_id,
        seat_ids=shop.seats(*places),
        default_window=window,
    )


def live_tickets(shop: Shop, place: int) -> int:
    with shop.tx() as tx:
        number: int = tx.value(
            "SELECT count(*) FROM tickets WHERE event_seat_id = %s AND status = 'RESERVED'", shop.seats(place)
        )
        return number


def buy(database: Database, shop: Shop, buyers: int, places: list[int], customer_id: UUID) -> list[object]:
    """As many buyers at once, each in a transaction of its own."""

    def one(_: int) -> Reservation:
        with database.transaction(shop.tenant_id) as tx:
            return reserve(tx, shop, *places, customer_id=customer_id)

    return list(at_once(buyers, one))
