"""What the provider says of a booking's payment: promised, declined, late, refused; said twice, it counts once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities import booking as steps
from activities.words import Word
from db import outbox
from gateways.payments import ProviderState
from tests.makers.booking import expired
from tests.makers.selling import (
    Shop,
    authorised,
    captured,
    declined,
    refunded,
    refused,
)

# What the provider says


def test_promised_money_sells_the_seats_and_taken_money_ends_the_payment(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)

    assert shop.settle(payment_id, authorised()).then == "capture"

    assert shop.status(booking_id) == ("CONFIRMED", None, "PROCESSING")
    assert shop.balances()["1110"] == Decimal(77)
    assert shop.faults() == []

    at = datetime.now(UTC).replace(microsecond=0)
    assert shop.capture(payment_id, captured(at=at))

    assert shop.status(booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.ticket_states(booking_id) == ["CONFIRMED", "CONFIRMED"]
    assert shop.seat_states(1, 2, 3) == ["SOLD", "SOLD", "AVAILABLE"]
    assert shop.postings(booking_id) == ["SALE", "CAPTURED"]
    money = {"1100": Decimal(77), "4000": Decimal(-70), "4100": Decimal(-7), "5000": Decimal(40), "1200": Decimal(160)}
    assert {code: amount for code, amount in shop.balances().items() if code != "2100"} == money
    payment = shop.payment(payment_id)
    assert (payment.status, payment.captured_at, payment.token) == ("COMPLETED", at, None)
    operation = shop.operation(payment_id)
    result = {"payment_id": str(payment_id), "booking_id": str(booking_id), "status": "COMPLETED"}
    assert (operation.status, operation.result) == ("succeeded", result)
    assert shop.letters() == ["booking_confirmed"]
    assert shop.faults() == []


def test_the_books_have_the_sales_own_moment_and_the_providers_for_the_money(shop: Shop) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    taken_at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    shop.capture(payment_id, captured(at=taken_at))

    booking = shop.booking(booking_id)
    with shop.tx() as tx:
        moments = {
            row["kind"]: row["occurred_at"]
            for row in tx.dicts("SELECT kind, occurred_at FROM journal_entries WHERE subject_id = %s", (booking_id,))
        }
    assert moments == {"SALE": booking.confirmed_at, "CAPTURED": taken_at}
    assert {ticket.confirmed_at for ticket in shop.tickets(booking_id)} == {booking.confirmed_at}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("card_declined", "card_declined"),
        ("insufficient_funds", "insufficient_funds"),
        ("do_not_honour", "card_declined"),
    ],
)
def test_a_declined_card_leaves_the_reservation_and_its_deadline_as_they_were(shop: Shop, said: str, code: str) -> None:
    booking_id = shop.basket(1, 2)
    before = shop.booking(booking_id)
    payment_id = shop.pay(booking_id)

    settled = shop.settle(payment_id, declined(said))

    after = shop.booking(booking_id)
    assert (settled.then, settled.booking_open) == ("nothing", True)
    assert (after.status, after.payment_status) == ("RESERVED", "PENDING")
    assert (after.reserved_until, after.held_until) == (before.reserved_until, before.held_until)
    assert shop.held_until(1) == before.held_until
    assert shop.outcome(payment_id) == ("failed", code)
    assert (shop.payment(payment_id).status, shop.payment(payment_id).failure_reason) == ("FAILED", code)
    assert shop.postings(booking_id) == []
    assert shop.faults() == []


def test_a_payment_that_came_to_nothing_at_the_provider_leaves_the_reservation_too(shop: Shop) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)

    shop.settle(payment_id, Word(state=ProviderState.FAILED, reason="processor_down"))

    assert shop.outcome(payment_id) == ("failed", "payment_failed")
    assert shop.status(booking_id) == ("RESERVED", None, "PENDING")


def test_after_a_declined_card_a_second_card_pays(shop: Shop) -> None:
    booking_id = shop.basket(1)
    shop.settle(shop.pay(booking_id), declined())

    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    shop.capture(payment_id, captured())

    assert shop.status(booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.postings(booking_id) == ["SALE", "CAPTURED"]
    assert shop.faults() == []


def test_a_card_declined_during_the_grace_gives_the_seats_free_at_once(shop: Shop) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id, grace_too=False)

    shop.settle(payment_id, declined())

    shop.basket(1)
    assert shop.ticket_states(booking_id) == ["CANCELLED"]


def test_a_late_decline_does_not_touch_who_has_taken_a_seat_meanwhile(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    other = shop.basket(2)

    shop.settle(payment_id, declined())

    assert shop.held_until(2) == shop.booking(other).held_until
    assert shop.faults() == []


def test_money_within_the_grace_is_in_time(shop: Shop) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id, grace_too=False)

    assert shop.settle(payment_id, authorised()).then == "capture"

    assert shop.status(booking_id)[0] == "CONFIRMED"


@pytest.mark.parametrize("marked", [True, False], ids=["marked expired", "not yet marked"])
def test_late_money_takes_free_seats_again(shop: Shop, *, marked: bool) -> None:
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    if marked:
        shop.expire(booking_id)

    assert shop.settle(payment_id, captured()).then == "complete"
    assert shop.capture(payment_id, captured())

    assert shop.status(booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.postings(booking_id) == ["LATE_MONEY", "SALE", "LATE_RETAKEN"]
    assert {"1110", "2200", "2210"} & set(shop.balances()) == set()
    assert shop.booking(booking_id).paid == Decimal(77)
    assert shop.booking(booking_id).cancelled_at is None
    assert {ticket.cancelled_at for ticket in shop.tickets(booking_id)} == {None}
    assert shop.outcome(payment_id) == ("succeeded", None)
    assert shop.faults() == []


def test_a_late_promise_takes_free_seats_again_and_is_captured_like_any_other(shop: Shop) -> None:
    booking_id, payment_id = expired(shop, 1)

    assert shop.settle(payment_id, authorised()).then == "capture"
    shop.capture(payment_id, captured())

    assert shop.status(booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.postings(booking_id) == ["SALE", "CAPTURED"]
    assert shop.faults() == []


def test_late_money_takes_a_seat_again_from_a_reservation_that_has_lapsed_too(shop: Shop) -> None:
    booking_id, payment_id = expired(shop, 1, 2)
    other = shop.basket(2, 3)
    shop.lapse(other)

    shop.settle(payment_id, captured())
    shop.capture(payment_id, captured())

    assert shop.status(booking_id)[0] == "CONFIRMED"
    assert shop.ticket_states(other) == ["CANCELLED", "RESERVED"]
    assert shop.faults() == []


@pytest.mark.parametrize("marked", [True, False], ids=["marked expired", "not yet marked"])
def test_late_money_for_seats_that_are_gone_goes_back_whole(shop: Shop, *, marked: bool) -> None:
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    if marked:
        shop.expire(booking_id)
    shop.sold(2)

    settled = shop.settle(payment_id, captured())

    assert settled.then == "refund"
    assert settled.refund_id is not None
    assert shop.status(booking_id) == ("CANCELLED", "EXPIRED", "COMPLETED")
    assert shop.outcome(payment_id) == ("failed", "reservation_expired")
    assert shop.seat_states(1, 2) == ["AVAILABLE", "SOLD"]
    assert shop.faults() == []

    shop.refund(settled.refund_id, refunded())

    booking, payment = shop.booking(booking_id), shop.payment(payment_id)
    assert shop.status(booking_id) == ("CANCELLED", "EXPIRED", "REFUNDED")
    assert (booking.paid, booking.refunded, payment.refunded_amount) == (Decimal(77), Decimal(77), Decimal(77))
    assert shop.postings(booking_id) == ["LATE_MONEY", "LATE_REFUNDABLE", "REFUND_SETTLED"]
    assert {"1110", "2200", "2210"} & set(shop.balances()) == set()
    assert shop.letters() == ["booking_confirmed", "late_money_refunded"]
    assert shop.faults() == []


@pytest.mark.parametrize("marked", [True, False], ids=["marked expired", "not yet marked"])
def test_late_money_for_an_event_that_is_over_goes_back_though_the_seats_are_free(shop: Shop, *, marked: bool) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    if marked:
        shop.expire(booking_id)
    with shop.tx() as tx:
        tx.run(
            "UPDATE events SET start_at = now() - interval '3 hours', end_at = now() WHERE id = %s",
            (shop.stock.event_id,),
        )

    assert shop.settle(payment_id, captured()).then == "refund"

    assert shop.status(booking_id) == ("CANCELLED", "EXPIRED", "COMPLETED")
    assert shop.seat_states(1) == ["AVAILABLE"]
    assert shop.faults() == []


def test_a_late_promise_for_seats_that_are_gone_is_let_go_and_the_customer_is_told(shop: Shop) -> None:
    booking_id, payment_id = expired(shop, 1)
    shop.basket(1)

    settled = shop.settle(payment_id, authorised())

    assert settled.then == "void"
    assert shop.status(booking_id) == ("CANCELLED", "EXPIRED", "FAILED")
    assert shop.outcome(payment_id) == ("failed", "reservation_expired")
    assert shop.payment(payment_id).failure_reason == "reservation_expired"
    assert shop.postings(booking_id) == []
    assert shop.letters() == ["reservation_lost"]
    assert shop.faults() == []


def test_a_promise_to_be_let_go_needs_its_process_until_the_provider_has_spoken(shop: Shop) -> None:
    booking_id, payment_id = expired(shop, 1)
    shop.basket(1)
    shop.settle(payment_id, authorised())
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET delivered_at = now()")

    assert f"booking/{booking_id}" in to_run(shop)

    shop.void(payment_id)
    assert f"booking/{booking_id}" not in to_run(shop)


def to_run(shop: Shop) -> set[str]:
    """The processes of this shop that the dispatcher would miss."""
    found = outbox.open_processes(shop.database, since=timedelta(0), most=10_000)
    return {process.process_id for process in found if process.tenant_id == shop.tenant_id}


def test_a_capture_finally_refused_reverses_the_sale(shop: Shop) -> None:
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())

    assert not shop.capture(payment_id, refused("capture_refused"))

    assert shop.status(booking_id) == ("CANCELLED", "PAYMENT_FAILED", "FAILED")
    assert shop.ticket_states(booking_id) == ["CANCELLED", "CANCELLED"]
    assert shop.seat_states(1, 2) == ["AVAILABLE", "AVAILABLE"]
    assert shop.postings(booking_id) == ["SALE", "SALE_REVERSED"]
    assert shop.outcome(payment_id) == ("failed", "capture_refused")
    assert shop.letters() == ["payment_failed"]
    assert set(shop.balances()) == {"1200", "2100"}
    assert shop.faults() == []

    again = shop.sold(1)
    assert shop.status(again)[0] == "CONFIRMED"
    assert shop.faults() == []


# Every step may run twice: its answer may be lost on the way


def twice(act: Callable[[], object]) -> object:
    first, second = act(), act()
    assert first == second
    return second


def test_every_step_run_twice_has_one_effect_and_one_answer(shop: Shop) -> None:
    booking_id = shop.basket(1)
    shop.settle(first := shop.pay(booking_id), declined())
    twice(lambda: shop.settle(first, declined()))
    payment_id = shop.pay(booking_id)
    twice(lambda: shop.settle(payment_id, authorised()))
    twice(lambda: shop.capture(payment_id, captured()))
    twice(lambda: shop.settle(payment_id, authorised()).booking_open)

    assert shop.postings(booking_id) == ["SALE", "CAPTURED"]
    assert shop.booking(booking_id).paid == Decimal("38.50")
    assert shop.letters() == ["booking_confirmed"]
    assert shop.faults() == []


def test_late_money_told_twice_is_given_back_once(shop: Shop) -> None:
    booking_id, payment_id = expired(shop, 1)
    shop.basket(1)

    settled = twice(lambda: shop.settle(payment_id, captured()))
    assert isinstance(settled, steps.Settled)
    assert settled.refund_id is not None
    refund_id = settled.refund_id
    twice(lambda: shop.refund(refund_id, refunded()))
    twice(lambda: shop.settle(payment_id, captured()))

    assert len(shop.refunds(booking_id)) == 1
    assert shop.booking(booking_id).refunded == Decimal("38.50")
    assert shop.faults() == []


def test_a_promise_let_go_is_let_go_when_asked_again(shop: Shop) -> None:
    _, payment_id = expired(shop, 1)
    shop.basket(1)

    assert twice(lambda: shop.settle(payment_id, authorised()).then) == "void"


def test_a_refused_capture_told_twice_reverses_once(shop: Shop) -> None:
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())

    twice(lambda: shop.capture(payment_id, refused("capture_refused")))

    assert shop.postings(booking_id) == ["SALE", "SALE_REVERSED"]
    assert shop.faults() == []
