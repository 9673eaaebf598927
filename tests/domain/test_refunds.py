"""Refunds: the contract's worked example, quotes that are executed or refused, and totals that always tie."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import TicketStatus, price
from domain.money import Money
from domain.refunds import (
    DEFAULT_POLICY,
    PENDING,
    REFUND,
    HeldTicket,
    Policy,
    RefundStatus,
    Totals,
    after_cancel,
    after_settling,
    check_fresh,
    fingerprint,
    quote,
)
from domain.states import Refused

START = datetime(2026, 12, 24, 19, tzinfo=UTC)
NOW = START - timedelta(days=1)


def eur(amount: str | int | Decimal) -> Money:
    return Money.of(amount, "EUR")


def a_paid_booking(
    *prices: str, fee: str = "10", tax: str = "0", discount: str = "0"
) -> tuple[list[HeldTicket], Totals]:
    priced = price(
        [Decimal(amount) for amount in prices],
        fee_percent=Decimal(fee),
        currency="EUR",
        tax_rate=Decimal(tax),
        discount=Decimal(discount),
    )
    shares = zip(priced.prices, priced.discount_shares, priced.fee_shares, priced.tax_shares, strict=True)
    tickets = [HeldTicket(UUID(int=n), TicketStatus.CONFIRMED, *share) for n, share in enumerate(shares)]
    totals = Totals(
        ticket_count=len(prices),
        subtotal=priced.subtotal,
        discount_amount=priced.discount,
        service_fee=priced.service_fee,
        tax_amount=priced.tax_amount,
        cancellation_charge=eur(0),
        paid=priced.total,
        refunded=eur(0),
        refunds_pending=eur(0),
    )
    return tickets, totals


def test_the_contracts_example_holds_to_the_cent() -> None:
    tickets, totals = a_paid_booking("39.90", "39.90", "150.00")

    quoted = quote(tickets[2:], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)
    after = after_settling(after_cancel(totals, quoted), quoted.refund_total)

    assert (quoted.fee_refund, quoted.refund_total, quoted.balance_after) == (eur(0), eur("150.00"), eur(0))
    assert (after.ticket_count, after.subtotal, after.service_fee) == (2, eur("79.80"), eur("22.98"))
    assert (after.total_amount, after.paid, after.refunded) == (eur("102.78"), eur("252.78"), eur("150.00"))
    assert (after.refunds_pending, after.balance) == (eur(0), eur(0))


def test_money_on_its_way_back_counts_as_spent() -> None:
    tickets, totals = a_paid_booking("40", "60", fee="0")
    quoted = quote(tickets[:1], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)

    pending = after_cancel(totals, quoted)

    assert (pending.refunded, pending.refunds_pending, pending.balance) == (eur(0), eur(40), eur(0))
    with pytest.raises(Refused, match="is left"):
        quote(tickets, totals=pending, policy=DEFAULT_POLICY, starts_at=START, now=NOW)


def test_each_ticket_is_explained() -> None:
    tickets, totals = a_paid_booking("40.00")

    (line,) = quote(tickets, totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW).lines

    assert (line.price, line.refund, line.kept) == (eur("40.00"), eur("40.00"), eur(0))
    assert line.reason == "Price refunded in full, service fee kept."


def test_a_stricter_policy_keeps_a_part_as_its_own_income() -> None:
    tickets, totals = a_paid_booking("33.33", "66.67", tax="0.10")
    policy = Policy(price_percent=Decimal(50), fee_percent=Decimal(100), hours_before_start=24)

    quoted = quote(tickets[:1], totals=totals, policy=policy, starts_at=START, now=NOW - timedelta(seconds=1))
    after = after_cancel(totals, quoted)

    (line,) = quoted.lines
    assert line.reason == "50 % of the price refunded, 100 % of the service fee refunded."
    assert (line.tax_back, line.kept, quoted.fee_refund) == (eur("1.67"), eur("16.66"), eur("3.33"))
    assert (line.refund, quoted.refund_total) == (eur("18.34"), eur("21.67"))
    assert (after.cancellation_charge, after.balance) == (eur("16.66"), eur(0))


def test_a_discount_is_never_touched_and_never_paid_out() -> None:
    tickets, totals = a_paid_booking("50.00", "50.00", fee="0", discount="10.00")

    quoted = quote(tickets[:1], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)
    after = after_cancel(totals, quoted)

    assert quoted.refund_total == eur("45.00")
    assert (after.subtotal, after.discount_amount, after.total_amount) == (eur("50.00"), eur("5.00"), eur("45.00"))


@given(
    st.lists(st.decimals(0, 300, places=2), min_size=1, max_size=8),
    st.decimals(0, 30, places=2),
    st.decimals(0, 1, places=4),
    st.decimals(0, 100, places=1),
    st.decimals(0, 100, places=1),
    st.data(),
)
def test_any_order_of_cancelling_gives_back_no_more_than_was_paid(
    prices: list[Decimal], fee: Decimal, tax: Decimal, price_percent: Decimal, fee_percent: Decimal, data: st.DataObject
) -> None:
    discount = data.draw(st.decimals(0, sum(prices), places=2))
    tickets, totals = a_paid_booking(*map(str, prices), fee=str(fee), tax=str(tax), discount=str(discount))
    policy = Policy(price_percent, fee_percent)
    left = data.draw(st.permutations(tickets))

    while left:
        count = data.draw(st.integers(1, len(left)))
        chosen, left = left[:count], left[count:]
        quoted = quote(chosen, totals=totals, policy=policy, starts_at=START, now=NOW)
        totals = after_cancel(totals, quoted)
        if data.draw(st.booleans()):
            totals = after_settling(totals, quoted.refund_total)
        assert quoted.balance_after == totals.balance == eur(0)
        assert totals.refunded + totals.refunds_pending <= totals.paid
        assert totals.ticket_count == len(left)

    assert totals.subtotal == totals.discount_amount == eur(0)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1)])
def test_from_the_start_on_it_is_too_late(late: timedelta) -> None:
    tickets, totals = a_paid_booking("40.00")

    with pytest.raises(Refused, match="too_late"):
        quote(tickets, totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=START + late)


@pytest.mark.parametrize("status", [status for status in TicketStatus if status != TicketStatus.CONFIRMED])
def test_only_confirmed_tickets_are_cancelled(status: TicketStatus) -> None:
    (ticket,), totals = a_paid_booking("40.00")

    with pytest.raises(Refused, match="ticket_not_valid") as caught:
        quote([replace(ticket, status=status)], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)

    assert caught.value.facts == {"ticket_ids": [str(ticket.ticket_id)]}


def test_a_quote_is_stale_when_its_numbers_are_no_longer_due() -> None:
    tickets, totals = a_paid_booking("40.00", "60.00")
    then = quote(tickets, totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)
    again = quote(tickets[::-1], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW + timedelta(hours=1))
    other = quote(tickets[:1], totals=totals, policy=DEFAULT_POLICY, starts_at=START, now=NOW)

    check_fresh(again, fingerprint_then=fingerprint(then))
    with pytest.raises(Refused, match="quote_stale"):
        check_fresh(other, fingerprint_then=fingerprint(then))


def test_a_policy_comes_back_from_its_snapshot() -> None:
    policy = Policy(Decimal("82.5"), Decimal(10), 48)

    assert Policy.of_snapshot(policy.snapshot()) == policy
    assert Policy.of_snapshot(DEFAULT_POLICY.snapshot()) == DEFAULT_POLICY


def test_every_refund_that_may_still_settle_counts_as_pending() -> None:
    settling = {state for state in REFUND.states if REFUND.allows(state, "settle") or REFUND.allows(state, "submit")}

    assert settling == set(PENDING)
    assert RefundStatus.FAILED not in PENDING
