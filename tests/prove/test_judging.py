"""What a judge of the races at a deadline calls wrong."""

from __future__ import annotations

import json

import pytest

from demo.caller import Json
from prove.races.clients import Answer
from prove.races.judging import Duel, _faults

BOOKING = {"id": "b", "reserved_until": "2031-01-01T12:00:00Z", "booking_number": "BK-1"}
SOLD = {"status": "CONFIRMED", "confirmed_at": "2031-01-01T11:59:59Z", "cancellation_reason": None}
GIVEN_BACK = {**SOLD, "status": "REFUNDED", "cancellation_reason": "CUSTOMER_REQUEST"}
EXPIRED = {"status": "CANCELLED", "confirmed_at": None, "cancellation_reason": "EXPIRED"}
PAID, RELEASED = {"pay": "succeeded"}, {"let go": "succeeded"}


def a_booking(facts: Json, *, paid: str, refunded: str) -> Json:
    amounts = {"total_amount": "38.50", "service_fee": "3.50", "paid": paid, "refunded": refunded}
    return {**BOOKING, **facts, **{name: {"amount": amount, "currency": "EUR"} for name, amount in amounts.items()}}


def faults(booking: Json, operations: dict[str, str]) -> list[str]:
    heard = [(act, Answer(202, json.dumps({"id": act}).encode(), 0.1)) for act in operations]
    ended = {act: {"status": status, "kind": act, "error": None} for act, status in operations.items()}
    return list(_faults(Duel("pay", "seat", booking, heard), {"b": booking}, ended))


@pytest.mark.parametrize(
    ("facts", "paid", "refunded", "operations"),
    [
        (SOLD, "38.50", "0.00", PAID),
        (GIVEN_BACK, "38.50", "35.00", PAID | RELEASED),
        (EXPIRED, "38.50", "38.50", {}),
        (EXPIRED, "0.00", "0.00", {}),
    ],
)
def test_an_end_that_the_answers_promised_is_right(
    facts: Json, paid: str, refunded: str, operations: dict[str, str]
) -> None:
    assert faults(a_booking(facts, paid=paid, refunded=refunded), operations) == []


@pytest.mark.parametrize(
    ("facts", "paid", "refunded", "operations", "words"),
    [
        (SOLD, "38.50", "0.00", {}, "is CONFIRMED after payments"),
        (SOLD, "38.50", "35.00", PAID, "35.00 given back"),
        (GIVEN_BACK, "38.50", "34.99", PAID | RELEASED, "34.99 given back"),
        (GIVEN_BACK, "38.50", "35.00", PAID, "ended as CUSTOMER_REQUEST after releases"),
        (EXPIRED, "38.50", "35.00", {}, "is not sold, but 38.50 was paid"),
        (EXPIRED, "38.50", "38.50", PAID, "is CANCELLED after payments"),
    ],
)
def test_any_other_end_is_wrong(facts: Json, paid: str, refunded: str, operations: dict[str, str], words: str) -> None:
    (found,) = faults(a_booking(facts, paid=paid, refunded=refunded), operations)

    assert words in found
