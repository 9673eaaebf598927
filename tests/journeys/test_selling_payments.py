"""Every way a payment can go, through the running house, compared with the provider's own book."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.money import Money
from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.house import House, eventually

PRICE = Money(Decimal("38.50"), "EUR")
NOTHING = Money.zero("EUR")


@pytest.fixture
def office(house: House) -> BoxOffice:
    return a_box_office(house)


@pytest.mark.parametrize(
    "token", ["tok_ok", "tok_slow_400", "tok_unknown_then_ok", "tok_late_500", "tok_capture_unknown_then_ok"]
)
def test_a_payment_that_is_good_in_the_end_is_a_sale(office: BoxOffice, token: str) -> None:
    booking = office.reserved(1)

    ended = office.ended(office.pay(booking, token=token))

    assert (ended["status"], ended["result"]["status"]) == ("succeeded", "COMPLETED")
    assert office.stands(booking) == ("CONFIRMED", None, "COMPLETED")
    assert [(line.captured, line.refunded) for line in office.charges(booking)] == [(PRICE, NOTHING)]
    assert office.differences() == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_unknown_then_failed", "payment_failed"),
    ],
)
def test_a_payment_that_is_not_leaves_the_reservation_for_another_card(
    office: BoxOffice, token: str, code: str
) -> None:
    booking = office.reserved(1)

    assert office.outcome(office.pay(booking, token=token)) == ("failed", code)
    assert office.read(booking) == booking

    assert office.outcome(office.pay(booking)) == ("succeeded", None)
    assert [line.captured for line in office.charges(booking)] == [PRICE]
    assert office.differences() == []


def test_a_capture_finally_refused_frees_the_seats_and_the_customer_is_told(office: BoxOffice) -> None:
    booking = office.reserved(1)

    assert office.outcome(office.pay(booking, token="tok_capture_fails")) == ("failed", "capture_refused")

    assert office.stands(booking) == ("CANCELLED", "PAYMENT_FAILED", "FAILED")
    assert [line.captured for line in office.charges(booking)] == [NOTHING]
    subjects = eventually(office.letter_subjects)
    assert subjects == [f"Payment failed: booking {booking['booking_number']} is cancelled"]
    office.paid(1)
    assert office.differences() == []


@pytest.mark.parametrize("token", ["tok_ok", "tok_refund_fails_once", "tok_refund_unknown_then_ok"])
def test_money_goes_back_once_however_the_provider_answers(office: BoxOffice, token: str) -> None:
    booking = office.paid(1, 2, token=token)

    answer = office.caller.delete(f"/api/bookings/{booking['id']}")

    assert office.outcome(answer) == ("succeeded", None)
    assert office.stands(booking) == ("REFUNDED", "CUSTOMER_REQUEST", "PARTIALLY_REFUNDED")
    assert [line.refunded for line in office.charges(booking)] == [Money(Decimal(70), "EUR")]
    rows = office.caller.read(f"/api/bookings/{booking['id']}/refunds")["data"]
    expected = ["SETTLED", "FAILED"] if token == "tok_refund_fails_once" else ["SETTLED"]
    assert [row["status"] for row in rows] == expected
    eventually(lambda: any(subject.startswith("Cancelled: 2 tickets") for subject in office.letter_subjects()))
    assert office.differences() == []


def test_an_unpaid_booking_is_let_go_by_its_process(office: BoxOffice) -> None:
    booking = office.reserved(1, 2)

    answer = office.caller.delete(f"/api/bookings/{booking['id']}")

    assert office.outcome(answer) == ("succeeded", None)
    assert office.stands(booking) == ("CANCELLED", "CUSTOMER_REQUEST", "PENDING")
    office.paid(1)


def test_a_client_that_waits_gets_the_end_in_the_answer(office: BoxOffice) -> None:
    answer = office.pay(office.reserved(1), headers={"Prefer": "wait=20"})

    assert (answer.status_code, answer.json()["status"]) == (202, "succeeded")


def test_a_quote_over_http_is_executed_to_the_cent(office: BoxOffice) -> None:
    for place, amount in ((1, "39.90"), (2, "39.90"), (3, "150.00")):
        office.shop.price(place, amount)
    booking = office.paid(1, 2, 3)
    body = {"ticket_ids": [booking["tickets"][2]["id"]], "reason": "CUSTOMER_REQUEST"}
    path = f"/api/bookings/{booking['id']}/tickets/cancel"
    quote = office.caller.post(f"{path}?preview=true", body).json()

    done = office.ended(office.caller.post(path, {**body, "quote_id": quote["quote_id"]}))

    assert done["result"]["refund_total"] == quote["refund_total"] == {"amount": "150.00", "currency": "EUR"}
    summary = office.summary(booking)
    assert [summary[name] for name in ("subtotal", "service_fee", "total_amount", "paid", "refunded", "balance")] == [
        "79.80",
        "22.98",
        "102.78",
        "252.78",
        "150.00",
        "0.00",
    ]
    assert office.differences() == []
