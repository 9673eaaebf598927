"""A booking that several want to end at once, and what each guard is there for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from activities import booking as steps
from db import booking as bookings
from db import payments, seating
from db.transaction import Database, Tx
from tests.conftest import CloneMaker
from tests.makers.access import an_agency
from tests.makers.booking import expired
from tests.makers.selling import (
    ROUNDS,
    Shop,
    a_shop,
    at_once,
    authorised,
    captured,
    codes,
    refunded,
)

# Races


def ends(shop: Shop, booking_id: UUID) -> str:
    status, reason, _ = shop.status(booking_id)
    return reason or status


def race(shop: Shop, *acts: Callable[[], object]) -> list[object]:
    return list(at_once(len(acts), lambda number: acts[number]()))


def test_paying_and_expiring_in_the_same_instant_have_one_end(hall: Shop) -> None:
    met: Counter[str] = Counter()
    for place in range(1, ROUNDS + 1):
        booking_id = hall.basket(place)
        payment_id = hall.pay(booking_id)
        hall.lapse(booking_id)

        race(
            hall,
            lambda b=booking_id: hall.expire(b),  # type: ignore[misc]
            lambda p=payment_id: hall.settle(p, authorised()),  # type: ignore[misc]
            lambda b=booking_id: hall.expire(b),  # type: ignore[misc]
        )

        hall.capture(payment_id, captured())
        met[ends(hall, booking_id)] += 1
        assert hall.ticket_states(booking_id) == ["CONFIRMED"]
        assert hall.postings(booking_id) == ["SALE", "CAPTURED"]
    assert met == {"CONFIRMED": ROUNDS}
    assert hall.faults() == []


def test_late_money_and_the_next_buyer_of_the_seat_have_one_winner(hall: Shop) -> None:
    winners: Counter[str] = Counter()
    for place in range(1, ROUNDS + 1):
        booking_id = hall.basket(place)
        payment_id = hall.pay(booking_id)
        hall.lapse(booking_id)

        _, bought, settled = race(
            hall,
            lambda b=booking_id: hall.expire(b),  # type: ignore[misc]
            lambda p=place: hall.basket(p),  # type: ignore[misc]
            lambda p=payment_id: hall.settle(p, captured()),  # type: ignore[misc]
        )

        assert isinstance(settled, steps.Settled)
        if settled.then == "refund":
            assert isinstance(bought, UUID)
            assert settled.refund_id is not None
            hall.refund(settled.refund_id, refunded())
        else:
            assert codes([bought]) == ["seats_unavailable"]
            hall.capture(payment_id, captured())
        winners[settled.then] += 1
        assert hall.faults() == []
    assert sum(winners.values()) == ROUNDS


def test_paying_and_releasing_in_the_same_instant_have_one_end(hall: Shop) -> None:
    for place in range(1, ROUNDS + 1):
        booking_id = hall.basket(place)
        operation_id = hall.ask_release(booking_id)

        payment, _ = race(
            hall,
            lambda b=booking_id: hall.pay(b),  # type: ignore[misc]
            lambda b=booking_id, o=operation_id: hall.release(b, o),  # type: ignore[misc]
        )

        if isinstance(payment, UUID):
            assert hall.outcome(operation_id) == ("failed", "payment_in_progress")
            assert hall.status(booking_id) == ("RESERVED", None, "PROCESSING")
        else:
            assert codes([payment]) == ["booking_ended"]
            assert hall.status(booking_id) == ("CANCELLED", "CUSTOMER_REQUEST", "PENDING")
    assert hall.faults() == []


def test_the_same_word_from_many_workers_has_one_effect(hall: Shop) -> None:
    for place in range(1, ROUNDS // 2):
        booking_id = hall.basket(place)
        payment_id = hall.pay(booking_id)

        answers = at_once(4, lambda _, p=payment_id: hall.settle(p, authorised()))  # type: ignore[misc]
        taken = at_once(4, lambda _, p=payment_id: hall.capture(p, captured()))  # type: ignore[misc]

        assert {getattr(answer, "then", answer) for answer in answers} == {"capture"}
        assert set(taken) == {True}
        assert hall.postings(booking_id) == ["SALE", "CAPTURED"]
    assert hall.faults() == []


def test_many_bookings_expiring_paying_and_buying_at_once_tie_out(hall: Shop) -> None:
    baskets = [hall.basket(place, place + 1) for place in range(1, ROUNDS, 2)]
    paid = {booking_id: hall.pay(booking_id) for booking_id in baskets[::2]}
    hall.lapse(*baskets)

    def act(number: int) -> object:
        booking_id = baskets[number % len(baskets)]
        if number < len(baskets):
            return hall.expire(booking_id)
        if number < 2 * len(baskets) and booking_id in paid:
            return hall.settle(paid[booking_id], captured())
        place = 1 + (7 * number) % (ROUNDS - 2)
        return hall.basket(place, place + 1, place + 2)

    outcomes = at_once(3 * len(baskets), act)
    for booking_id, payment_id in paid.items():
        hall.capture(payment_id, captured())
        for refund in hall.refunds(booking_id):
            hall.refund(refund.id, refunded())

    assert set(codes(outcomes)) <= {"seats_unavailable"}
    assert hall.faults() == []


# Negative controls: what each guard is there for


def test_without_the_look_at_the_seats_late_money_sells_a_seat_twice(
    another_clone: CloneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = another_clone()
    with Database(alone.app_url, size=4) as database:
        shop = a_shop(database, an_agency(database))
        booking_id, payment_id = expired(shop, 1)
        shop.sold(1)
        monkeypatch.setattr(
            steps,
            "_seats_to_sell",
            lambda tx, booking: seating.take_seats(tx, booking.id),
        )

        with pytest.raises(UniqueViolation):
            shop.settle(payment_id, captured())
        assert shop.status(booking_id)[0] == "CANCELLED"

        with psycopg.connect(alone.owner_url, autocommit=True) as connection:
            connection.execute("DROP INDEX uq_tickets_live_seat")
        shop.settle(payment_id, captured())

        assert any(fault.startswith("a seat with two live tickets") for fault in shop.faults())


def test_without_the_bookings_lock_a_release_takes_seats_that_are_being_paid(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = shop.basket(1)
    operation_id = shop.ask_release(booking_id)
    slow: set[int] = set()

    def read_only(tx: Tx, which: UUID) -> bookings.Booking:
        found = bookings.find(tx, which)
        assert found is not None
        time.sleep(0.5 if threading.get_ident() in slow else 0.1)
        return found

    def release_slowly() -> object:
        slow.add(threading.get_ident())
        return shop.release(booking_id, operation_id)

    monkeypatch.setattr(bookings, "take", read_only)
    payment, _ = race(shop, lambda: shop.pay(booking_id), release_slowly)

    assert isinstance(payment, UUID)
    assert shop.outcome(operation_id) == ("succeeded", None)
    assert shop.status(booking_id) == ("CANCELLED", "CUSTOMER_REQUEST", "PROCESSING")


def test_without_the_look_at_the_clock_expiry_ends_a_booking_in_its_grace(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded, bare = shop.basket(1), shop.basket(2)
    shop.pay(guarded)
    shop.pay(bare)
    shop.lapse(guarded, bare, grace_too=False)

    shop.expire(guarded)
    monkeypatch.setattr(bookings, "database_now", lambda _: datetime.now(UTC) + timedelta(hours=1))
    shop.expire(bare)

    assert shop.status(guarded)[0] == "RESERVED"
    assert shop.status(bare)[0] == "CANCELLED"


def test_without_its_own_lock_a_payment_is_booked_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    found = shop.payment(payment_id)
    both = threading.Barrier(2)

    def see_the_past(_tx: Tx, _payment_id: UUID) -> payments.Payment:
        both.wait(timeout=10)
        return found

    monkeypatch.setattr(bookings, "take", bookings.find)
    monkeypatch.setattr(payments, "take", see_the_past)
    race(shop, lambda: shop.capture(payment_id, captured()), lambda: shop.capture(payment_id, captured()))

    assert shop.booking(booking_id).paid == 2 * Decimal("38.50")
    assert any(fault.startswith("1100 is not") for fault in shop.faults())
