"""Cancelling: exactly what was quoted, once per ticket, in one transaction, whoever asks at the same time."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from activities.cancelling import Executed
from db.ids import new_id
from domain.refunds import Policy
from tests.makers.cancelling import begun, change_policy, ids, money, quoted, refusal
from tests.makers.selling import Shop, authorised, captured, refunded


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
