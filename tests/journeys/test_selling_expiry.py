"""Time running out in the running house: seats free by the database's clock, money that comes late kept or sent back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.money import Money
from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.house import House, eventually


@pytest.fixture
def office(house: House) -> BoxOffice:
    return a_box_office(house)


def sleep_until(moment: str) -> None:
    time.sleep(max(0.0, (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()) + 0.05)


def expired_within_five_seconds(office: BoxOffice, booking: Any) -> None:
    eventually(lambda: office.read(booking)["status"] == "CANCELLED", seconds=5)
    assert office.stands(booking)[1] == "EXPIRED"


def test_an_abandoned_basket_is_free_at_its_time_and_reads_expired_soon(office: BoxOffice) -> None:
    office.window(1)
    booking = office.reserved(1, 2)
    assert office.ask(1).status_code == 409

    sleep_until(booking["reserved_until"])

    assert office.ask(1).status_code == 201
    expired_within_five_seconds(office, booking)
    assert office.shop.faults() == []


def test_money_within_the_grace_keeps_the_seats(office: BoxOffice) -> None:
    office.window(1)
    booking = office.reserved(1)
    answer = office.pay(booking, token="tok_late_2500")
    sleep_until(booking["reserved_until"])

    assert office.ask(1).status_code == 409
    assert office.outcome(answer) == ("succeeded", None)
    history = office.caller.read(f"/api/bookings/{booking['id']}/history")["data"]
    assert "CANCELLED" not in {row["to"] for row in history}
    assert office.differences() == []


def test_late_money_takes_free_seats_again(office: BoxOffice, short_grace: float) -> None:
    office.window(1)
    booking = office.reserved(1)
    answer = office.pay(booking, token="tok_late_4500")

    eventually(lambda: office.stands(booking)[:2] == ("CANCELLED", "EXPIRED"), seconds=8)

    assert office.outcome(answer) == ("succeeded", None)
    assert office.stands(booking) == ("CONFIRMED", None, "COMPLETED")
    assert office.differences() == []


def test_late_money_without_seats_goes_back_with_a_letter(office: BoxOffice, short_grace: float) -> None:
    office.window(1)
    booking = office.reserved(1)
    answer = office.pay(booking, token="tok_late_4500")
    office.window(60)
    eventually(lambda: office.ask(1).status_code == 201, seconds=8)

    assert office.outcome(answer) == ("failed", "reservation_expired")

    eventually(lambda: office.stands(booking) == ("CANCELLED", "EXPIRED", "REFUNDED"))
    price = Money(Decimal("38.50"), "EUR")
    assert [(line.captured, line.refunded) for line in office.charges(booking)] == [(price, price)]
    assert office.summary(booking)["balance"] == "0.00"
    subjects = eventually(office.letter_subjects)
    assert subjects == [f"Your payment for booking {booking['booking_number']} is going back"]
    assert office.differences() == []


def test_a_card_declined_after_the_deadline_frees_the_seats_at_once(office: BoxOffice) -> None:
    office.window(1)
    booking = office.reserved(1)
    answer = office.pay(booking, token="tok_unknown_then_failed")
    sleep_until(booking["reserved_until"])

    assert office.outcome(answer) == ("failed", "payment_failed")

    eventually(lambda: office.ask(1).status_code == 201, seconds=2)
    expired_within_five_seconds(office, booking)
    assert office.shop.faults() == []
