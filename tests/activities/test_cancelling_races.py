"""Cancellations asked for at once, and what each guard of theirs is there for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from activities import cancelling as steps
from activities.cancelling import Executed
from db import booking as bookings
from db.transaction import Database, Tx
from domain import refunds as policies
from domain.refunds import Policy
from domain.states import Refused
from tests.makers.access import Agency
from tests.makers.cancelling import change_policy, ids, quoted
from tests.makers.selling import Shop, a_shop, at_once, codes, refunded, refused

MANY = 50


# At once


def test_fifty_partial_cancellations_and_a_full_one_give_each_ticket_back_once(
    database: Database, tenant: Agency
) -> None:
    hall = a_shop(database, tenant, seats=MANY)
    booking_id = hall.sold(*range(1, MANY + 1))
    tickets = [ticket.id for ticket in hall.tickets(booking_id)]
    asked = [hall.ask_cancel(booking_id, [ticket_id]) for ticket_id in tickets]
    asked.insert(MANY // 2, hall.ask_cancel(booking_id))

    executed = at_once(MANY + 1, lambda number: hall.cancel(asked[number]))
    refund_ids = [done.refund_id for done in executed if isinstance(done, Executed) and done.refund_id]
    settled = at_once(len(refund_ids), lambda number: hall.refund(refund_ids[number], refunded()))

    booking = hall.booking(booking_id)
    assert codes(executed) == codes(settled) == []
    assert booking.refunded == Decimal(35 * MANY)
    assert (booking.paid - booking.refunded, booking.total_amount) == (booking.service_fee, booking.service_fee)
    assert hall.ticket_states(booking_id) == ["CANCELLED"] * MANY
    assert hall.status(booking_id) == ("REFUNDED", "CUSTOMER_REQUEST", "PARTIALLY_REFUNDED")
    assert {hall.outcome(operation_id)[1] for operation_id in asked} <= {None, "ticket_not_valid", "wrong_state"}
    assert hall.faults() == []


def test_ten_callers_give_up_the_same_ticket_and_one_does(shop: Shop, example: UUID) -> None:
    ticket = ids(shop, example, 3)
    asked = [shop.ask_cancel(example, ticket) for _ in range(10)]

    executed = at_once(10, lambda number: shop.cancel(asked[number]))

    assert sum(isinstance(done, Executed) and done.refund_id is not None for done in executed) == 1
    assert sorted(str(shop.outcome(operation_id)[1]) for operation_id in asked) == ["None"] + ["ticket_not_valid"] * 9
    assert shop.faults() == []


def test_of_two_who_run_one_quote_the_second_hears_that_it_is_stale(shop: Shop, example: UUID) -> None:
    ticket = ids(shop, example, 3)
    quote_id, _ = quoted(shop, example, ticket)
    asked = [shop.ask_cancel(example, ticket, quote_id=quote_id) for _ in range(2)]

    for operation_id in asked:
        shop.cancel(operation_id)

    assert [shop.outcome(operation_id)[1] for operation_id in asked] == [None, "quote_stale"]


def test_refunds_pending_count_as_spent(shop: Shop, example: UUID) -> None:
    executed = shop.cancelled(example, ids(shop, example, 3))
    assert executed.refund_id is not None
    shop.refund(executed.refund_id, refused("no"))

    with shop.tx() as tx:
        booking = bookings.take(tx, example)
        tx.run("UPDATE bookings SET paid = 150 WHERE id = %s", (example,))
        short = bookings.take(tx, example)
        tx.keep = False

        assert booking.refunds_pending == Decimal(150)
        with pytest.raises(Refused) as caught:
            steps.quote(tx, short, ids(shop, example, 1))
    assert caught.value.code == "wrong_state"


# Negative controls


def test_without_the_look_at_freshness_other_numbers_than_quoted_are_paid(
    shop: Shop, example: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation_id = shop.ask_cancel(example, ids(shop, example, 1))
    with shop.tx() as tx:
        change_policy(tx, example, Policy(price_percent=Decimal(50)))
    monkeypatch.setattr(policies, "check_fresh", lambda *_args, **_more: None)

    shop.cancel(operation_id)

    assert [refund.amount for refund in shop.refunds(example)] == [Decimal("19.95")]


def test_without_the_bookings_lock_one_ticket_gives_money_back_twice(
    shop: Shop, example: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ids(shop, example, 1)
    asked = [shop.ask_cancel(example, ticket) for _ in range(2)]

    def blind_take(tx: Tx, booking_id: UUID) -> bookings.Booking:
        found = bookings.find(tx, booking_id)
        assert found is not None
        return found

    def slow_quote(
        tx: Tx, booking: bookings.Booking, ticket_ids: list[UUID] | None, *, asked_at: object = None
    ) -> object:
        numbers = quote(tx, booking, ticket_ids)
        tx.run("SELECT pg_sleep(0.3)")
        return numbers

    quote = steps.quote
    monkeypatch.setattr(bookings, "take", blind_take)
    monkeypatch.setattr(steps, "quote", slow_quote)
    at_once(2, lambda number: shop.cancel(asked[number]))

    assert len(shop.refunds(example)) == 2
    assert any(fault.startswith("money kept that no ticket") for fault in shop.faults()) or shop.booking(
        example
    ).refunds_pending == 2 * Decimal("39.90")


def test_a_quote_lives_a_quarter_of_an_hour(shop: Shop, example: UUID) -> None:
    quote_id, _ = quoted(shop, example, None)

    with shop.tx() as tx:
        life = tx.value("SELECT expires_at - created_at FROM quotes WHERE id = %s", (quote_id,))
    assert life == timedelta(minutes=15)
