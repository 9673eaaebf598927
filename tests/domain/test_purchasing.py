"""Purchase orders: statuses follow from line facts, and a confirmation fits what was ordered."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import BadMoney, Money
from domain.purchasing import (
    ORDER,
    BillStatus,
    LineFacts,
    LineStatus,
    OrderFacts,
    OrderStatus,
    ReceiptStatus,
    bill_status,
    check_confirmation,
    confirmed_total,
    line_status,
    line_total,
    order_can,
    order_status,
    receipt_status,
    rest_to_cancel,
)
from domain.states import Refused

OPEN = LineFacts(10, confirmed=10)
PARTLY = LineFacts(10, confirmed=8, received=3, rejected=2)
FULL = LineFacts(10, confirmed=8, received=8, rejected=2)
CLOSED = LineFacts(10, confirmed=10, received=3, cancelled=7)
REJECTED = LineFacts(10, rejected=10)
GIVEN_UP = LineFacts(10, confirmed=10, cancelled=10)
NOT_ASKED = LineFacts(10, cancelled=10)


def an_order(*lines: LineFacts, submitted: bool = True, confirmed: bool = True, cancelled: bool = False) -> OrderFacts:
    return OrderFacts(submitted=submitted, confirmed=confirmed, cancelled=cancelled, lines=lines)


@pytest.mark.parametrize(
    ("facts", "order", "receipt"),
    [
        (an_order(LineFacts(10), submitted=False, confirmed=False), OrderStatus.DRAFT, ReceiptStatus.NOT_RECEIVED),
        (an_order(LineFacts(10), confirmed=False), OrderStatus.PENDING, ReceiptStatus.NOT_RECEIVED),
        (an_order(NOT_ASKED, confirmed=False, cancelled=True), OrderStatus.CANCELLED, ReceiptStatus.NOT_RECEIVED),
        (an_order(OPEN, REJECTED), OrderStatus.CONFIRMED, ReceiptStatus.NOT_RECEIVED),
        (an_order(PARTLY, OPEN), OrderStatus.PARTIALLY_RECEIVED, ReceiptStatus.PARTIALLY_RECEIVED),
        (an_order(FULL, OPEN), OrderStatus.PARTIALLY_RECEIVED, ReceiptStatus.PARTIALLY_RECEIVED),
        (an_order(FULL, REJECTED), OrderStatus.COMPLETED, ReceiptStatus.RECEIVED),
        (an_order(CLOSED, GIVEN_UP, cancelled=True), OrderStatus.COMPLETED, ReceiptStatus.RECEIVED),
        (an_order(GIVEN_UP, GIVEN_UP, cancelled=True), OrderStatus.CANCELLED, ReceiptStatus.NOT_RECEIVED),
    ],
)
def test_the_header_follows_from_the_lines(facts: OrderFacts, order: OrderStatus, receipt: ReceiptStatus) -> None:
    assert order_status(facts) == order
    assert receipt_status(facts) == receipt


@pytest.mark.parametrize(
    ("line", "confirmed", "status", "open_seats"),
    [
        (LineFacts(10), False, LineStatus.PENDING, 0),
        (NOT_ASKED, False, LineStatus.CANCELLED, 0),
        (OPEN, True, LineStatus.CONFIRMED, 10),
        (REJECTED, True, LineStatus.REJECTED, 0),
        (PARTLY, True, LineStatus.PARTIALLY_RECEIVED, 5),
        (FULL, True, LineStatus.RECEIVED, 0),
        (CLOSED, True, LineStatus.RECEIVED, 0),
        (GIVEN_UP, True, LineStatus.CANCELLED, 0),
    ],
)
def test_a_line_says_what_has_come_of_it(
    line: LineFacts, *, confirmed: bool, status: LineStatus, open_seats: int
) -> None:
    assert line_status(line, confirmed=confirmed) == status
    assert line.open == open_seats


@pytest.mark.parametrize(
    ("facts", "received", "billed", "still_open", "bills", "status"),
    [
        (an_order(OPEN), 0, 0, 0, 0, BillStatus.NOT_BILLED),
        (an_order(PARTLY), 30, 30, 30, 1, BillStatus.PARTIALLY_BILLED),
        (an_order(PARTLY), 30, 30, 0, 1, BillStatus.PARTIALLY_BILLED),
        (an_order(FULL), 80, 30, 0, 1, BillStatus.PARTIALLY_BILLED),
        (an_order(FULL), 80, 80, 50, 2, BillStatus.BILLED),
        (an_order(FULL), 80, 80, 0, 2, BillStatus.PAID),
        (an_order(FULL), 0, 0, 0, 1, BillStatus.PAID),
    ],
)
def test_the_bill_axis_says_whether_all_is_billed_and_paid(
    facts: OrderFacts, received: int, billed: int, still_open: int, bills: int, status: BillStatus
) -> None:
    euros = [Money.of(amount, "EUR") for amount in (received, billed, still_open)]

    assert bill_status(facts, received_amount=euros[0], billed=euros[1], open_amount=euros[2], bills=bills) == status


@given(st.data())
def test_an_order_driven_by_its_verbs_has_the_status_of_its_facts(data: st.DataObject) -> None:
    quantities = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    confirmed = [data.draw(st.integers(0, quantity)) for quantity in quantities]
    if not any(confirmed):
        confirmed[0] = quantities[0]
    lines = [LineFacts(q, confirmed=c, rejected=q - c) for q, c in zip(quantities, confirmed, strict=True)]
    status = OrderStatus.CONFIRMED

    while "receive" in order_can(status) and data.draw(st.booleans()):
        index = data.draw(st.sampled_from([i for i, line in enumerate(lines) if line.open]))
        line = lines[index]
        came = data.draw(st.integers(1, line.open))
        lines[index] = LineFacts(line.quantity, line.confirmed, line.received + came, line.rejected)
        status = ORDER.after(status, "receive", to=order_status(an_order(*lines)))
    if "cancel" in order_can(status):
        lines = [
            LineFacts(x.quantity, x.confirmed, x.received, x.rejected, rest_to_cancel(x, confirmed=True)) for x in lines
        ]
        status = ORDER.after(status, "cancel")

    assert order_status(an_order(*lines, cancelled=True)) == status
    assert not any(line.open for line in lines)


def test_only_confirmed_orders_receive() -> None:
    for status in (OrderStatus.DRAFT, OrderStatus.PENDING, OrderStatus.COMPLETED, OrderStatus.CANCELLED):
        with pytest.raises(Refused, match="not_receivable"):
            ORDER.after(status, "receive")


def test_a_lapse_is_not_offered_to_people() -> None:
    assert order_can(OrderStatus.PENDING) == ("confirm", "cancel")
    assert order_can(OrderStatus.DRAFT) == ("edit", "delete", "submit")
    assert order_can(OrderStatus.PARTIALLY_RECEIVED) == ("receive", "cancel", "pay")


def test_cancelling_gives_up_what_is_open_or_all_before_the_confirmation() -> None:
    assert rest_to_cancel(PARTLY, confirmed=True) == 5
    assert rest_to_cancel(REJECTED, confirmed=True) == 0
    assert rest_to_cancel(LineFacts(10), confirmed=False) == 10


@pytest.mark.parametrize(
    ("quantity", "unit_price", "currency", "total"),
    [
        (40, "20.00", "EUR", "800.00"),
        (3, "0.3333", "EUR", "1.00"),
        (1, "0.0050", "EUR", "0.01"),
        (7, "12.3456", "JPY", "86"),
        (5, "0", "EUR", "0.00"),
    ],
)
def test_a_lines_total_is_rounded_once(quantity: int, unit_price: str, currency: str, total: str) -> None:
    assert str(line_total(quantity, Decimal(unit_price), currency).amount) == total


@pytest.mark.parametrize("unit_price", ["-0.01", "0.00001", "NaN", "Infinity", "10000000000"])
def test_a_unit_price_has_four_decimals_and_is_not_negative(unit_price: str) -> None:
    with pytest.raises(BadMoney):
        line_total(1, Decimal(unit_price), "EUR")


def test_what_an_order_will_cost_leaves_out_what_was_cancelled() -> None:
    lines = [(CLOSED, Decimal("1.50")), (PARTLY, Decimal("2.00")), (NOT_ASKED, Decimal("9.00"))]

    assert confirmed_total(lines, currency="EUR") == Money.of("20.50", "EUR")


def test_a_confirmation_answers_each_line_or_leaves_it_in_full() -> None:
    assert check_confirmation({"a": 10, "b": 5}, {}) == {"a": 10, "b": 5}
    assert check_confirmation({"a": 10, "b": 5}, {"b": 0}) == {"a": 10, "b": 0}
    assert check_confirmation({"a": 10, "b": 5}, {"b": 5, "a": 9}) == {"a": 9, "b": 5}


def test_a_confirmation_of_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="nothing_confirmed") as caught:
        check_confirmation({"a": 10, "b": 5}, {"a": 0, "b": 0})

    assert caught.value.errors[0].pointer == "/lines"


def test_a_confirmation_beyond_the_order_names_every_wrong_line() -> None:
    with pytest.raises(Refused) as caught:
        check_confirmation({"a": 10, "b": 5}, {"a": 11, "b": 5, "c": 1, "d": -1})

    assert caught.value.code == "invalid"
    assert [fault.pointer for fault in caught.value.errors] == [
        "/lines/0/confirmed_quantity",
        "/lines/2/line_id",
        "/lines/3/line_id",
    ]
