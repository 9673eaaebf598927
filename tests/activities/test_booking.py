"""A booking from its reservation to its one end: paid, declined, late, expired or let go, once each, whatever races."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from db import payments
from db.transaction import Tx
from domain.states import Refused
from tests.makers.booking import cannot_pay
from tests.makers.selling import (
    GRACE,
    Shop,
    at_once,
    codes,
)

# Beginning to pay


def test_a_payment_on_its_way_holds_the_seats_over_the_grace(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)

    payment_id = shop.pay(booking_id)

    booking, payment = shop.booking(booking_id), shop.payment(payment_id)
    assert (booking.status, booking.payment_status) == ("RESERVED", "PROCESSING")
    assert booking.held_until == booking.reserved_until + GRACE == shop.held_until(1) == shop.held_until(2)
    assert (payment.status, payment.amount, payment.token) == ("PROCESSING", Decimal(77), "tok_ok")
    assert shop.outcome(payment_id) == ("queued", None)
    assert shop.faults() == []


def test_twenty_payments_at_once_are_one_payment(shop: Shop) -> None:
    booking_id = shop.basket(1)

    outcomes = at_once(20, lambda _: shop.pay(booking_id))

    assert codes(outcomes) == ["payment_in_progress"] * 19
    assert shop.faults() == []


def test_what_is_paid_or_over_cannot_be_paid(shop: Shop) -> None:
    paid, let_go, over, marked = shop.sold(1), shop.basket(2), shop.basket(3), shop.basket(4)
    shop.release(let_go, shop.ask_release(let_go))
    shop.lapse(over, marked)
    shop.expire(marked)

    assert cannot_pay(shop, paid) == "already_paid"
    assert cannot_pay(shop, let_go) == "booking_ended"
    assert cannot_pay(shop, over) == "reservation_expired"
    assert cannot_pay(shop, marked) == "reservation_expired"


def test_a_payment_at_the_deadline_keeps_the_seats_until_the_grace_is_over(shop: Shop) -> None:
    booking_id = shop.basket(1)
    shop.pay(booking_id)
    shop.lapse(booking_id, grace_too=False)

    with pytest.raises(Refused, match="seats_unavailable"):
        shop.basket(1)
    stands = shop.expire(booking_id)
    assert stands.open
    assert 60 < stands.seconds_left <= GRACE.total_seconds() + 900

    shop.lapse(booking_id)
    taken_by = shop.basket(1)
    assert shop.ticket_states(booking_id) == ["CANCELLED"]
    assert shop.ticket_states(taken_by) == ["RESERVED"]


def test_a_payment_that_loses_its_seat_while_it_begins_is_refused_and_leaves_the_other_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = shop.basket(1, 2)
    add, others = payments.add, []

    def add_and_lose(tx: Tx, **what: Any) -> None:
        # The clock was right when it was asked; then the time was over, and somebody was faster to the seat.
        add(tx, **what)
        with shop.tx() as elsewhere:
            elsewhere.run("UPDATE event_seats SET held_until = now() WHERE id = ANY(%s)", (shop.seats(1, 2),))
        others.append(shop.basket(1))

    monkeypatch.setattr(payments, "add", add_and_lose)

    assert cannot_pay(shop, booking_id) == "reservation_expired"
    assert shop.held_until(1) == shop.booking(others[0]).held_until


# Letting go


def test_an_unpaid_booking_is_released(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)
    operation_id = shop.ask_release(booking_id, reason="DUPLICATE")

    stands = shop.release(booking_id, operation_id)

    assert not stands.open
    assert shop.status(booking_id) == ("CANCELLED", "DUPLICATE", "PENDING")
    assert shop.seat_states(1, 2) == ["AVAILABLE", "AVAILABLE"]
    operation = shop.operation(operation_id)
    assert operation.status == "succeeded"
    assert operation.result == {"booking_id": str(booking_id), "status": "CANCELLED", "seats_released": 2}
    assert shop.faults() == []


def test_only_seats_it_still_had_are_counted_as_released(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)
    operation_id = shop.ask_release(booking_id)
    shop.lapse(booking_id)
    shop.basket(1)

    shop.release(booking_id, operation_id)

    result = shop.operation(operation_id).result
    assert result is not None
    assert result["seats_released"] == 1
    assert shop.faults() == []


def test_a_booking_whose_payment_is_on_its_way_is_not_released(shop: Shop) -> None:
    booking_id = shop.basket(1)
    operation_id = shop.ask_release(booking_id)
    shop.pay(booking_id)

    with pytest.raises(Refused, match="payment_in_progress"):
        shop.ask_release(booking_id)
    assert shop.release(booking_id, operation_id).open
    assert shop.outcome(operation_id) == ("failed", "payment_in_progress")


def test_what_has_ended_before_is_not_released(shop: Shop) -> None:
    booking_id = shop.basket(1)
    operation_id = shop.ask_release(booking_id)
    shop.lapse(booking_id)
    shop.expire(booking_id)

    assert not shop.release(booking_id, operation_id).open
    assert shop.outcome(operation_id) == ("failed", "wrong_state")
    assert shop.status(booking_id)[1] == "EXPIRED"
