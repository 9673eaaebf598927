"""Cancelling: exactly what was quoted, once per ticket, in one transaction, whoever asks at the same time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from activities import cancelling as steps
from activities.cancelling import Executed
from db import booking as bookings
from db.ids import new_id
from db.transaction import Database, Tx
from domain import refunds as policies
from domain.refunds import Policy, Quote
from domain.states import Refused
from tests.makers.access import Agency
from tests.makers.selling import Shop, a_shop, at_once, authorised, captured, codes, refunded, refused

MANY = 50


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def example(shop: Shop) -> UUID:
    """The contract's: three tickets of 39.90, 39.90 and 150.00, sold with a fee of 22.98."""
    for place, amount in ((1, "39.90"), (2, "39.90"), (3, "150.00")):
        shop.price(place, amount)
    return shop.sold(1, 2, 3)


def ids(shop: Shop, booking_id: UUID, *places: int) -> list[UUID]:
    held = shop.tickets(booking_id)
    return [held[place - 1].id for place in places]


def quoted(shop: Shop, booking_id: UUID, ticket_ids: list[UUID] | None) -> tuple[UUID, Quote]:
    with shop.tx() as tx:
        booking = bookings.take(tx, booking_id)
        numbers, _ = steps.quote(tx, booking, ticket_ids)
        return steps.freeze(tx, booking, numbers)[0], numbers


def refusal(shop: Shop, booking_id: UUID, ticket_ids: list[UUID] | None, *, quote_id: UUID | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        shop.ask_cancel(booking_id, ticket_ids, quote_id=quote_id)
    return caught.value


def money(shop: Shop, booking_id: UUID) -> dict[str, str]:
    found = shop.booking(booking_id)
    names = ("subtotal", "service_fee", "total_amount", "paid", "refunded", "refunds_pending")
    return {name: str(getattr(found, name)) for name in names}


def test_the_contracts_example_to_the_cent(shop: Shop, example: UUID) -> None:
    before = shop.booking(example)
    assert (before.subtotal, before.service_fee, before.total_amount) == (
        Decimal("229.80"),
        Decimal("22.98"),
        Decimal("252.78"),
    )

    executed = shop.cancelled(example, ids(shop, example, 3))

    assert executed.refund_id is not None
    kept = {"subtotal": "79.80", "service_fee": "22.98", "total_amount": "102.78", "paid": "252.78"}
    assert money(shop, example) == {**kept, "refunded": "0.00", "refunds_pending": "150.00"}
    assert shop.status(example) == ("CONFIRMED", None, "COMPLETED")
    assert shop.seat_states(1, 2, 3) == ["SOLD", "SOLD", "AVAILABLE"]
    assert shop.faults() == []

    shop.refund(executed.refund_id, refunded())

    assert money(shop, example) == {**kept, "refunded": "150.00", "refunds_pending": "0"}
    assert shop.status(example) == ("CONFIRMED", None, "PARTIALLY_REFUNDED")
    assert shop.booking(example).ticket_count == 2
    assert shop.postings(example) == ["SALE", "CAPTURED", "CANCELLATION", "REFUND_SETTLED"]
    assert shop.balances()["4090"] == Decimal(150)
    assert shop.balances()["4100"] == Decimal("-22.98")
    assert shop.letters() == ["booking_confirmed", "booking_cancelled"]
    assert shop.faults() == []


def test_a_quote_explains_every_ticket_and_changes_nothing(shop: Shop, example: UUID) -> None:
    _, numbers = quoted(shop, example, ids(shop, example, 2, 3))

    lines = [(str(line.price.amount), str(line.refund.amount), line.reason) for line in numbers.lines]
    words = "Price refunded in full, service fee kept."
    assert lines == [("39.90", "39.90", words), ("150.00", "150.00", words)]
    assert str(numbers.refund_total.amount) == "189.90"
    assert str(numbers.fee_refund.amount) == "0.00"
    assert str(numbers.balance_after.amount) == "0.00"
    assert shop.ticket_states(example) == ["CONFIRMED"] * 3


def test_all_tickets_end_the_booking_with_the_fee_kept(shop: Shop, example: UUID) -> None:
    executed = shop.cancelled(example)
    assert executed.refund_id is not None
    shop.refund(executed.refund_id, refunded())

    booking = shop.booking(example)
    assert shop.status(example) == ("REFUNDED", "CUSTOMER_REQUEST", "PARTIALLY_REFUNDED")
    assert booking.cancelled_at is not None
    assert (booking.total_amount, booking.refunded, booking.ticket_count) == (Decimal("22.98"), Decimal("229.80"), 0)
    assert shop.seat_states(1, 2, 3) == ["AVAILABLE"] * 3
    assert shop.faults() == []


def test_one_after_the_other_comes_to_the_same_as_all_at_once(shop: Shop, example: UUID) -> None:
    for place in (2, 1, 3):
        executed = shop.cancelled(example, ids(shop, example, place))
        assert executed.refund_id is not None
        shop.refund(executed.refund_id, refunded())

    assert shop.status(example) == ("REFUNDED", "CUSTOMER_REQUEST", "PARTIALLY_REFUNDED")
    assert shop.booking(example).refunded == Decimal("229.80")
    assert shop.faults() == []


def test_a_policy_that_gives_everything_back_leaves_a_payment_refunded(shop: Shop) -> None:
    booking_id = shop.sold(1, 2)
    with shop.tx() as tx:
        change_policy(tx, booking_id, Policy(fee_percent=Decimal(100)))

    executed = shop.cancelled(booking_id)
    assert executed.refund_id is not None
    shop.refund(executed.refund_id, refunded())

    assert shop.status(booking_id) == ("REFUNDED", "CUSTOMER_REQUEST", "REFUNDED")
    assert shop.booking(booking_id).total_amount == Decimal(0)
    assert set(shop.balances()) == {"1200", "2100", "4000", "4090"}
    assert shop.faults() == []


def test_a_policy_that_keeps_some_of_the_price_earns_cancellation_income(shop: Shop) -> None:
    booking_id = shop.sold(1, 2)
    with shop.tx() as tx:
        change_policy(tx, booking_id, Policy(price_percent=Decimal(80)))

    executed = shop.cancelled(booking_id, ids(shop, booking_id, 1))
    assert executed.refund_id is not None
    shop.refund(executed.refund_id, refunded())

    booking = shop.booking(booking_id)
    assert (booking.refunded, booking.cancellation_charge) == (Decimal(28), Decimal(7))
    assert booking.total_amount == Decimal(35) + Decimal(7) + Decimal(7)
    assert shop.balances()["4200"] == Decimal(-7)
    assert shop.faults() == []


def change_policy(tx: Tx, booking_id: UUID, policy: Policy) -> None:
    from psycopg.types.json import Jsonb

    tx.run("UPDATE bookings SET policy = %s WHERE id = %s", (Jsonb(policy.snapshot()), booking_id))


def test_a_seat_given_back_is_sold_again_at_once(shop: Shop, example: UUID) -> None:
    shop.cancelled(example, ids(shop, example, 3))

    again = shop.sold(3)

    assert shop.status(again)[0] == "CONFIRMED"
    assert shop.booking(again).subtotal == Decimal(150)
    assert shop.faults() == []


def test_the_moment_of_a_cancellation_is_that_of_its_entry(shop: Shop, example: UUID) -> None:
    shop.cancelled(example)

    with shop.tx() as tx:
        entered = tx.value(
            "SELECT occurred_at FROM journal_entries WHERE subject_id = %s AND kind = 'CANCELLATION'", (example,)
        )
    assert {ticket.cancelled_at for ticket in shop.tickets(example)} == {entered}
    assert shop.booking(example).cancelled_at == entered


def test_the_record_of_a_cancellation_holds_what_was_decided(shop: Shop, example: UUID) -> None:
    operation_id = shop.ask_cancel(example, ids(shop, example, 1))
    shop.cancel(operation_id)

    with shop.tx() as tx:
        row = tx.dicts("SELECT * FROM cancellations WHERE id = %s", (operation_id,))[0]
    operation = shop.operation(operation_id)
    assert (row["booking_id"], row["refund_total"], row["fee_refund"]) == (example, Decimal("39.90"), Decimal(0))
    assert (operation.status, operation.kind, operation.progress_total) == ("running", "booking.cancel_tickets", 1)


# Refusals, in the contract's order


def test_unknown_tickets_are_told_before_the_state_of_the_booking(shop: Shop) -> None:
    unpaid = shop.basket(1)

    unknown = refusal(shop, unpaid, [shop.tickets(unpaid)[0].id, new_id()])
    twice = refusal(shop, unpaid, [shop.tickets(unpaid)[0].id] * 2)

    assert (unknown.code, unknown.errors[0].pointer) == ("unknown_id", "/ticket_ids/1")
    assert (twice.code, twice.errors[0].pointer) == ("duplicate_ticket", "/ticket_ids/1")
    assert refusal(shop, unpaid, [shop.tickets(unpaid)[0].id]).code == "wrong_state"


def test_only_confirmed_bookings_whose_payment_has_ended_are_cancelled(shop: Shop) -> None:
    released, paying = shop.basket(1), shop.basket(2)
    shop.release(released, shop.ask_release(released))
    payment_id = shop.pay(paying)
    shop.settle(payment_id, authorised())

    assert refusal(shop, released, None).code == "wrong_state"
    assert refusal(shop, paying, None).code == "payment_in_progress"

    shop.capture(payment_id, captured())
    shop.cancelled(paying)
    assert refusal(shop, paying, None).code == "wrong_state"


def test_a_ticket_is_given_up_once(shop: Shop, example: UUID) -> None:
    shop.cancelled(example, ids(shop, example, 1))

    assert refusal(shop, example, ids(shop, example, 1, 2)).code == "ticket_not_valid"
    assert shop.ticket_states(example) == ["CANCELLED", "CONFIRMED", "CONFIRMED"]


def begun(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE events SET start_at = now() WHERE id = %s", (shop.stock.event_id,))


def test_after_the_events_start_it_is_too_late(shop: Shop, example: UUID) -> None:
    begun(shop)

    assert refusal(shop, example, None).code == "too_late"


def test_who_asked_before_the_start_asked_in_time_however_long_we_took(shop: Shop, example: UUID) -> None:
    operation_id = shop.ask_cancel(example)
    begun(shop)

    executed = shop.cancel(operation_id)

    assert executed.refund_id is not None
    assert shop.status(example)[0] == "REFUNDED"
    assert shop.faults() == []


# Quotes


def test_a_quote_is_executed_as_it_was_shown(shop: Shop, example: UUID) -> None:
    quote_id, numbers = quoted(shop, example, ids(shop, example, 1, 3))

    operation_id = shop.ask_cancel(example, ids(shop, example, 3, 1), quote_id=quote_id)
    executed = shop.cancel(operation_id)

    assert executed.refund_id is not None
    assert [refund.amount for refund in shop.refunds(example)] == [numbers.refund_total.amount]


def test_a_quote_is_stale_when_its_tickets_are_gone_or_others_are_named(shop: Shop, example: UUID) -> None:
    first, _ = quoted(shop, example, ids(shop, example, 1))
    second, _ = quoted(shop, example, ids(shop, example, 1))
    both, _ = quoted(shop, example, ids(shop, example, 1, 2))
    shop.cancel(shop.ask_cancel(example, ids(shop, example, 1), quote_id=first))

    assert refusal(shop, example, ids(shop, example, 1), quote_id=second).code == "quote_stale"
    assert refusal(shop, example, ids(shop, example, 1, 2), quote_id=both).code == "quote_stale"
    assert refusal(shop, example, ids(shop, example, 3), quote_id=both).code == "quote_stale"


def test_a_quote_is_stale_after_its_time_or_under_another_policy(shop: Shop, example: UUID) -> None:
    old, _ = quoted(shop, example, ids(shop, example, 1))
    other, _ = quoted(shop, example, ids(shop, example, 2))
    with shop.tx() as tx:
        tx.run("UPDATE quotes SET expires_at = now() WHERE id = %s", (old,))

    assert refusal(shop, example, ids(shop, example, 1), quote_id=old).code == "quote_stale"

    with shop.tx() as tx:
        change_policy(tx, example, Policy(price_percent=Decimal(50)))
    assert refusal(shop, example, ids(shop, example, 2), quote_id=other).code == "quote_stale"


def test_a_quote_of_another_booking_is_unknown(shop: Shop, example: UUID) -> None:
    quote_id, _ = quoted(shop, shop.sold(4), None)

    found = refusal(shop, example, ids(shop, example, 1), quote_id=quote_id)

    assert (found.code, found.errors[0].pointer) == ("unknown_id", "/quote_id")
    assert refusal(shop, example, ids(shop, example, 1), quote_id=new_id()).code == "unknown_id"


def test_numbers_that_changed_between_asking_and_doing_are_not_executed(shop: Shop, example: UUID) -> None:
    operation_id = shop.ask_cancel(example, ids(shop, example, 1))
    with shop.tx() as tx:
        change_policy(tx, example, Policy(price_percent=Decimal(50)))

    assert shop.cancel(operation_id) == Executed(refund_id=None)

    assert shop.outcome(operation_id) == ("failed", "quote_stale")
    assert shop.ticket_states(example) == ["CONFIRMED"] * 3
    assert shop.postings(example) == ["SALE", "CAPTURED"]


def test_a_step_run_twice_gives_up_once_and_names_the_same_refund(shop: Shop, example: UUID) -> None:
    operation_id = shop.ask_cancel(example, ids(shop, example, 1))

    first, second = shop.cancel(operation_id), shop.cancel(operation_id)

    assert first == second
    assert len(shop.refunds(example)) == 1
    assert shop.faults() == []


def test_a_free_ticket_is_sold_and_given_up_without_any_money(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE event_seats SET retail_price = 0 WHERE id = %s", shop.seats(1))
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    assert shop.capture(payment_id, captured())
    assert shop.status(booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.faults() == []

    operation_id = shop.ask_cancel(booking_id)
    executed = shop.cancel(operation_id)

    assert executed.refund_id is None
    assert shop.outcome(operation_id) == ("succeeded", None)
    assert shop.status(booking_id) == ("CANCELLED", "CUSTOMER_REQUEST", "COMPLETED")
    assert shop.postings(booking_id) == ["SALE", "CANCELLATION"]
    assert shop.faults() == []


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
