"""What the clock has ended is ended for every agency, though no process wakes; one fault does not stop the others."""

from __future__ import annotations

from uuid import UUID

import pytest

from activities.expiring import expire_due_reservations
from db import booking as bookings
from db.transaction import Database, Tx
from tests.makers.access import Agency
from tests.makers.selling import Shop, a_shop, at_once


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def other(database: Database, other_tenant: Agency) -> Shop:
    return a_shop(database, other_tenant)


def test_what_is_due_is_ended_and_what_is_not_stays(shop: Shop, other: Shop) -> None:
    due, grace_runs, in_time, elsewhere = shop.basket(1, 2), shop.basket(3), shop.basket(4), other.basket(1)
    shop.pay(grace_runs)
    shop.lapse(due, grace_runs, grace_too=False)
    shop.lapse(due)
    other.lapse(elsewhere)

    assert expire_due_reservations(shop.database) >= 2

    assert shop.status(due) == ("CANCELLED", "EXPIRED", "PENDING")
    assert shop.status(grace_runs) == ("RESERVED", None, "PROCESSING")
    assert shop.status(in_time) == ("RESERVED", None, "PENDING")
    assert other.status(elsewhere) == ("CANCELLED", "EXPIRED", "PENDING")
    assert shop.ticket_states(due) == ["CANCELLED", "CANCELLED"]
    assert shop.seat_states(1, 2, 3, 4) == ["AVAILABLE", "AVAILABLE", "RESERVED", "RESERVED"]
    assert shop.faults() == other.faults() == []


def test_seats_that_others_took_stay_theirs(shop: Shop) -> None:
    lapsed = shop.basket(1, 2)
    shop.lapse(lapsed)
    taken = shop.basket(2)

    expire_due_reservations(shop.database)

    assert shop.seat_states(1, 2) == ["AVAILABLE", "RESERVED"]
    assert shop.ticket_states(taken) == ["RESERVED"]
    assert shop.faults() == []


def test_a_booking_somebody_is_busy_with_is_passed_over(shop: Shop) -> None:
    busy, free = shop.basket(1), shop.basket(2)
    shop.lapse(busy, free)

    with shop.tx() as tx:
        bookings.take(tx, busy)
        expire_due_reservations(shop.database)

    assert shop.status(busy)[0] == "RESERVED"
    assert shop.status(free)[0] == "CANCELLED"


def test_many_rounds_at_once_end_each_booking_once(database: Database, tenant: Agency) -> None:
    hall = a_shop(database, tenant, seats=40)
    baskets = [hall.basket(place, place + 1) for place in range(1, 40, 2)]
    hall.lapse(*baskets)

    at_once(6, lambda _: expire_due_reservations(database))

    with hall.tx() as tx:
        ended = tx.value(
            "SELECT count(*) FROM history WHERE object = 'booking' AND reason = 'EXPIRED' AND subject_id = ANY(%s)",
            (baskets,),
        )
    assert ended == len(baskets)
    assert {hall.status(booking_id)[0] for booking_id in baskets} == {"CANCELLED"}
    assert hall.faults() == []


def test_a_booking_that_cannot_be_ended_keeps_no_other(
    shop: Shop, other: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursed, beside, elsewhere = shop.basket(1), shop.basket(2), other.basket(1)
    shop.lapse(cursed, beside)
    other.lapse(elsewhere)
    expire_many = bookings.expire_many

    def fail_for_one(tx: Tx, booking_ids: list[UUID]) -> list[UUID]:
        if cursed in booking_ids:
            raise LookupError("a row that nobody expected")
        return expire_many(tx, booking_ids)

    monkeypatch.setattr(bookings, "expire_many", fail_for_one)
    expire_due_reservations(shop.database)

    assert other.status(elsewhere)[0] == "CANCELLED"
    assert shop.status(beside)[0] == "CANCELLED"
    assert shop.status(cursed)[0] == "RESERVED"
