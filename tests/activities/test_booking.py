"""A booking from its reservation to its one end: paid, declined, late, expired or let go, once each, whatever races."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from activities import booking as steps
from activities.words import Word
from db import booking as bookings
from db import payments, seating
from db.transaction import Database, Tx
from domain.states import Refused
from gateways.payments import ProviderState
from tests.conftest import CloneMaker
from tests.makers.access import Agency, an_agency
from tests.makers.selling import GRACE, Shop, a_shop, at_once, authorised, captured, codes, declined, refunded, refused

ROUNDS = 20


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def hall(database: Database, tenant: Agency) -> Shop:
    """Seats enough for many rounds."""
    return a_shop(database, tenant, seats=ROUNDS)


def cannot_pay(shop: Shop, booking_id: UUID) -> str:
    with pytest.raises(Refused) as caught:
        shop.pay(booking_id)
    return caught.value.code


def expired(shop: Shop, *places: int) -> tuple[UUID, UUID]:
    """A booking whose payment outlasted the grace: ended by the clock, the provider's word still to come."""
    booking_id = shop.basket(*places)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    assert not shop.expire(booking_id).open
    return booking_id, payment_id


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
            lambda tx, booking: seating.take_seats(tx, [t.event_seat_id for t in bookings.tickets(tx, booking.id)]),
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
