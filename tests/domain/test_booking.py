"""Bookings: prices to the cent, who may pay when, and what late money may do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import (
    BOOKING,
    BookingStatus,
    PaymentStatus,
    Reason,
    can,
    check_payable,
    held_until,
    payment_after_refund,
    price,
    retake,
    status_after_cancelling,
)
from domain.money import Money
from domain.states import Refused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEN = Decimal(10)
PRICES = st.lists(st.decimals(0, 500, places=2), min_size=1, max_size=50)


def amounts(moneys: tuple[Money, ...]) -> list[str]:
    return [str(money.amount) for money in moneys]


def test_the_contracts_basket_costs_what_the_contract_says() -> None:
    priced = price([Decimal("39.90"), Decimal("39.90"), Decimal("150.00")], fee_percent=TEN, currency="EUR")

    assert [
        str(m) for m in (priced.subtotal, priced.discount, priced.service_fee, priced.tax_amount, priced.total)
    ] == [
        "229.80 EUR",
        "0.00 EUR",
        "22.98 EUR",
        "0.00 EUR",
        "252.78 EUR",
    ]
    assert amounts(priced.fee_shares) == ["3.99", "3.99", "15.00"]


def test_the_fee_is_of_the_price_before_discount_and_the_tax_of_the_price_after() -> None:
    priced = price(
        [Decimal(50), Decimal(50)], fee_percent=TEN, currency="EUR", tax_rate=Decimal("0.19"), discount=Decimal("0.01")
    )

    assert priced.service_fee == Money.of("10.00", "EUR")
    assert priced.tax_amount == Money.of("19.00", "EUR")
    assert amounts(priced.discount_shares) == ["0.01", "0.00"]
    assert priced.total == Money.of("128.99", "EUR")


def test_residual_cents_of_the_fee_go_to_the_first_seats() -> None:
    priced = price([Decimal("1.00")] * 3, fee_percent=Decimal("5.5"), currency="EUR")

    assert priced.service_fee == Money.of("0.17", "EUR")
    assert amounts(priced.fee_shares) == ["0.06", "0.06", "0.05"]


@given(PRICES, st.decimals(0, 100, places=2), st.decimals(0, 1, places=4), st.data())
def test_the_shares_of_all_tickets_add_up_to_the_booking(
    prices: list[Decimal], fee: Decimal, tax_rate: Decimal, data: st.DataObject
) -> None:
    discount = data.draw(st.decimals(0, sum(prices), places=2))

    priced = price(prices, fee_percent=fee, currency="EUR", tax_rate=tax_rate, discount=discount)

    def total(parts: tuple[Money, ...]) -> Money:
        return Money.total(parts, currency="EUR")

    assert total(priced.prices) == priced.subtotal
    assert total(priced.fee_shares) == priced.service_fee
    assert total(priced.tax_shares) == priced.tax_amount
    assert total(priced.discount_shares) == priced.discount
    assert priced.total == priced.subtotal - priced.discount + priced.service_fee + priced.tax_amount
    assert all(d <= p for d, p in zip(priced.discount_shares, priced.prices, strict=True))


@pytest.mark.parametrize("discount", ["-0.01", "10.01"])
def test_a_discount_fits_the_subtotal(discount: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        price([TEN], fee_percent=TEN, currency="EUR", discount=Decimal(discount))


def test_seats_are_held_for_the_grace_only_while_a_payment_is_in_flight() -> None:
    grace = timedelta(minutes=2)

    assert held_until(NOW, payment=PaymentStatus.PROCESSING, grace=grace) == NOW + grace
    assert held_until(NOW, payment=PaymentStatus.PENDING, grace=grace) == NOW


@pytest.mark.parametrize(
    ("status", "payment", "left", "reason", "code"),
    [
        (BookingStatus.CONFIRMED, PaymentStatus.COMPLETED, 60, None, "already_paid"),
        (BookingStatus.CONFIRMED, PaymentStatus.PROCESSING, 60, None, "payment_in_progress"),
        (BookingStatus.REFUNDED, PaymentStatus.REFUNDED, -60, Reason.CUSTOMER_REQUEST, "booking_ended"),
        (BookingStatus.CANCELLED, PaymentStatus.PENDING, 60, Reason.CUSTOMER_REQUEST, "booking_ended"),
        (BookingStatus.CANCELLED, PaymentStatus.PENDING, -60, Reason.EXPIRED, "reservation_expired"),
        (BookingStatus.RESERVED, PaymentStatus.PROCESSING, 60, None, "payment_in_progress"),
        (BookingStatus.RESERVED, PaymentStatus.PROCESSING, -60, None, "payment_in_progress"),
        (BookingStatus.RESERVED, PaymentStatus.PENDING, 0, None, "reservation_expired"),
    ],
)
def test_a_payment_that_cannot_begin_is_refused(
    status: BookingStatus, payment: PaymentStatus, left: int, reason: Reason | None, code: str
) -> None:
    with pytest.raises(Refused) as caught:
        check_payable(status, payment=payment, reserved_until=NOW + timedelta(seconds=left), now=NOW, reason=reason)

    assert caught.value.code == code


def test_a_payment_may_begin_in_time() -> None:
    check_payable(
        BookingStatus.RESERVED, payment=PaymentStatus.PENDING, reserved_until=NOW + timedelta(seconds=1), now=NOW
    )


def test_late_money_takes_up_an_expired_booking_and_no_other() -> None:
    assert retake(BookingStatus.CANCELLED, reason=Reason.EXPIRED) == BookingStatus.CONFIRMED
    for status, reason in (
        (BookingStatus.CANCELLED, Reason.CUSTOMER_REQUEST),
        (BookingStatus.REFUNDED, Reason.EXPIRED),
    ):
        with pytest.raises(Refused, match="wrong_state"):
            retake(status, reason=reason)


@pytest.mark.parametrize(
    ("status", "payment", "in_time", "verbs"),
    [
        (BookingStatus.RESERVED, PaymentStatus.PENDING, True, ("pay", "release")),
        (BookingStatus.RESERVED, PaymentStatus.PENDING, False, ("release",)),
        (BookingStatus.RESERVED, PaymentStatus.PROCESSING, True, ()),
        (BookingStatus.CONFIRMED, PaymentStatus.COMPLETED, True, ("cancel",)),
        (BookingStatus.CONFIRMED, PaymentStatus.PROCESSING, True, ()),
        (BookingStatus.CANCELLED, PaymentStatus.PENDING, True, ()),
        (BookingStatus.REFUNDED, PaymentStatus.REFUNDED, True, ()),
    ],
)
def test_people_are_offered_only_what_the_table_allows(
    status: BookingStatus, payment: PaymentStatus, *, in_time: bool, verbs: tuple[str, ...]
) -> None:
    assert can(status, payment=payment, in_time=in_time) == verbs
    assert set(verbs) <= set(BOOKING.verbs(status))


@pytest.mark.parametrize(
    ("refunded", "status"),
    [("0.00", PaymentStatus.COMPLETED), ("0.01", PaymentStatus.PARTIALLY_REFUNDED), ("10.00", PaymentStatus.REFUNDED)],
)
def test_the_payment_axis_says_how_much_went_back(refunded: str, status: PaymentStatus) -> None:
    assert payment_after_refund(Money.of("10.00", "EUR"), refunded=Money.of(refunded, "EUR")) == status


def test_a_booking_ends_refunded_only_if_money_went_back() -> None:
    assert status_after_cancelling(1, paid_back=True) == BookingStatus.CONFIRMED
    assert status_after_cancelling(0, paid_back=True) == BookingStatus.REFUNDED
    assert status_after_cancelling(0, paid_back=False) == BookingStatus.CANCELLED
