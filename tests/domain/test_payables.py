"""Payables: terms, due dates, and what a payment settles."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.payables import (
    BILL,
    BillState,
    OpenBill,
    OpenItem,
    Terms,
    advance_room,
    bill_state,
    due_date,
    in_payment_order,
    pay_bill,
    pay_order,
    settle,
)
from domain.states import Refused


def eur(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def a_bill(
    number: int, *, open_amount: str = "10.00", due: date = date(2026, 12, 1), billed: date = date(2026, 11, 1)
) -> OpenBill:
    return OpenBill(UUID(int=number), eur(open_amount), f"BILL-2026-{number:05d}", billed, due)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("IMMEDIATE", date(2026, 1, 31)),
        ("NET_1", date(2026, 2, 1)),
        ("NET_30", date(2026, 3, 2)),
        ("NET_999", date(2028, 10, 26)),
    ],
)
def test_terms_are_calendar_days_after_the_bill(text: str, due: date) -> None:
    terms = Terms.parse(text)

    assert due_date(date(2026, 1, 31), terms) == due
    assert terms.code() == text


@pytest.mark.parametrize(
    "text", ["", "NET", "NET_", "NET_0", "NET_030", "NET_1000", "net_30", "NET_30 ", "NET_-1", "EOM", "NET_\u0663"]
)
def test_unknown_terms_are_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        Terms.parse(text, pointer="/payment_terms")

    assert caught.value.errors[0].pointer == "/payment_terms"


@pytest.mark.parametrize(
    ("amount", "still_open", "state"),
    [
        ("10.00", "10.00", BillState.OPEN),
        ("10.00", "9.99", BillState.PARTIALLY_PAID),
        ("10.00", "0.00", BillState.PAID),
        ("0.00", "0.00", BillState.PAID),
    ],
)
def test_a_bill_is_what_is_left_of_it(amount: str, still_open: str, state: BillState) -> None:
    assert bill_state(eur(amount), open_amount=eur(still_open)) == state


def test_a_paid_bill_takes_no_payment() -> None:
    with pytest.raises(Refused, match="overpayment"):
        BILL.after(BillState.PAID, "pay")


def test_bills_are_paid_by_due_date_then_bill_date_then_number() -> None:
    late, early = date(2026, 12, 2), date(2026, 10, 1)
    bills = [a_bill(1, due=late), a_bill(100_000), a_bill(99_999), a_bill(2, billed=early)]

    assert [bill.id.int for bill in in_payment_order(bills)] == [2, 99_999, 100_000, 1]


@given(st.integers(0, 10_000), st.lists(st.integers(0, 3_000), max_size=6))
def test_a_settlement_spends_all_it_can_in_order(cents: int, open_cents: list[int]) -> None:
    items = [OpenItem(UUID(int=i), Money.of(n, "JPY")) for i, n in enumerate(open_cents)]

    settlement = settle(Money.of(cents, "JPY"), items)

    assert settlement.settled + settlement.rest == Money.of(cents, "JPY")
    assert settlement.settled == min(Money.of(cents, "JPY"), Money.of(sum(open_cents), "JPY"))
    for allocation in settlement.allocations[:-1]:
        assert allocation.amount == items[allocation.id.int].open_amount
    assert all(allocation.amount.is_positive for allocation in settlement.allocations)


def test_a_payment_on_an_order_settles_bills_first_and_advances_the_rest() -> None:
    bills = [a_bill(2, due=date(2026, 12, 5)), a_bill(1)]

    settlement = pay_order(eur("25.00"), bills=bills, room=eur("5.00"))

    assert [(part.id.int, str(part.amount)) for part in settlement.allocations] == [(1, "10.00 EUR"), (2, "10.00 EUR")]
    assert settlement.rest == eur("5.00")


def test_a_payment_without_an_amount_pays_the_bills_or_else_the_whole_advance() -> None:
    with_bills = pay_order(None, bills=[a_bill(1)], room=eur("5.00"))
    without = pay_order(None, bills=[], room=eur("5.00"))

    assert (with_bills.settled, with_bills.rest) == (eur("10.00"), eur("0.00"))
    assert (without.settled, without.rest) == (eur("0.00"), eur("5.00"))


def test_more_than_bills_and_room_is_refused() -> None:
    with pytest.raises(Refused, match="overpayment") as caught:
        pay_order(eur("15.01"), bills=[a_bill(1)], room=eur("5.00"))

    assert caught.value.facts == {
        "amount": {"amount": "15.01", "currency": "EUR"},
        "open_amount": {"amount": "10.00", "currency": "EUR"},
        "advance_room": {"amount": "5.00", "currency": "EUR"},
    }


def test_an_order_that_owes_nothing_takes_nothing() -> None:
    with pytest.raises(Refused, match="nothing_to_pay"):
        pay_order(None, bills=[], room=eur(0))
    with pytest.raises(Refused, match="overpayment"):
        pay_order(eur("0.01"), bills=[], room=eur(0))


@pytest.mark.parametrize(
    ("confirmed", "billed", "advances", "room"),
    [(100, 0, 0, 100), (100, 40, 30, 30), (100, 40, 60, 0), (30, 40, 60, 0)],
)
def test_the_room_for_advances_is_never_negative(confirmed: int, billed: int, advances: int, room: int) -> None:
    assert advance_room(eur(confirmed), to_come=1, billed=eur(billed), unapplied_advances=eur(advances)) == eur(room)


def test_with_nothing_to_come_a_cent_that_rounding_left_is_no_room() -> None:
    cent = {"billed": eur("99.99"), "unapplied_advances": eur(0)}

    assert advance_room(eur("100.00"), to_come=1, **cent) == eur("0.01")
    assert advance_room(eur("100.00"), to_come=0, **cent) == eur(0)


def test_one_bill_is_paid_up_to_what_is_open() -> None:
    assert pay_bill(None, open_amount=eur("10.00")) == eur("10.00")
    assert pay_bill(eur("4.00"), open_amount=eur("10.00")) == eur("4.00")
    for amount, still_open in ((eur("10.01"), eur("10.00")), (None, eur(0)), (eur("1.00"), eur(0))):
        with pytest.raises(Refused, match="overpayment"):
            pay_bill(amount, open_amount=still_open)


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_payment_is_above_zero(amount: str) -> None:
    for pay in (
        lambda: pay_bill(eur(amount), open_amount=eur(5)),
        lambda: pay_order(eur(amount), bills=[], room=eur(5)),
    ):
        with pytest.raises(Refused, match="above zero"):
            pay()
