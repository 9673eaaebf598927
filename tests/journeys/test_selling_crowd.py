"""A rush on the running house: one winner per seat, every kind of card, cancellations at random, and books that tie."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Response

from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.callers import refusal
from tests.makers.house import House

TOKENS = [
    *["tok_ok"] * 6,
    "tok_declined",
    "tok_insufficient_funds",
    "tok_slow_200",
    "tok_unknown_then_ok",
    "tok_unknown_then_failed",
    "tok_late_800",
    "tok_capture_fails",
    "tok_refund_fails_once",
]
BUYERS, SEATS = 40, 60


@pytest.fixture
def office(house: House) -> BoxOffice:
    return a_box_office(house, seats=SEATS)


def test_forty_buyers_and_one_seat(office: BoxOffice) -> None:
    barrier = threading.Barrier(BUYERS)

    def buy(_: int) -> Response:
        barrier.wait(timeout=30)
        return office.ask(1)

    with ThreadPoolExecutor(BUYERS) as pool:
        answers = list(pool.map(buy, range(BUYERS)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (BUYERS - 1)
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {(409, "seats_unavailable")}
    assert office.shop.faults() == []


def test_a_day_at_the_box_office_ties_out(office: BoxOffice) -> None:
    def customer(number: int) -> str:
        dice = random.Random(number)
        first = dice.randrange(1, SEATS - 3)
        answer = office.ask(*range(first, first + dice.randrange(1, 4)))
        if answer.status_code != 201:
            assert refusal(answer) == (409, "seats_unavailable")
            return "no seats"
        booking = answer.json()
        if dice.random() < 0.1:
            return "abandoned"
        status, code = office.outcome(office.pay(booking, token=dice.choice(TOKENS)), seconds=60)
        if status == "failed":
            return str(code)
        return give_some_back(office, office.read(booking), dice)

    with ThreadPoolExecutor(12) as pool:
        days = list(pool.map(customer, range(BUYERS)))

    assert {"kept", "gave some back", "gave all back"} <= set(days)
    assert office.differences() == []
    balances = office.shop.balances()
    assert {"1110", "2200", "2210"} & set(balances) == set()


def give_some_back(office: BoxOffice, booking: Any, dice: random.Random) -> str:
    wish = dice.choice(["kept", "gave some back", "gave all back"])
    if wish == "gave all back":
        assert office.outcome(office.caller.delete(f"/api/bookings/{booking['id']}"), seconds=60)[0] == "succeeded"
    if wish == "gave some back":
        body = {"ticket_ids": [booking["tickets"][0]["id"]], "reason": "CUSTOMER_REQUEST"}
        answer = office.caller.post(f"/api/bookings/{booking['id']}/tickets/cancel", body)
        assert office.outcome(answer, seconds=60)[0] == "succeeded"
    return wish
