"""/api/tickets from outside: what a ticket shows when, and what a code is good for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from db.ids import new_id
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.callers import Caller, refusal
from tests.makers.counter import Counter, a_counter
from tests.makers.selling import Shop, a_shop


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def counter(boxoffice: Caller, shop: Shop) -> Counter:
    return a_counter(boxoffice, shop)


def validated(caller: Caller, code: str) -> Any:
    return caller.read(f"/api/tickets/validate/{code}")


def stored_code(counter: Counter, ticket: Any) -> str:
    with counter.shop.tx() as tx:
        code: str = tx.value("SELECT barcode FROM tickets WHERE id = %s", (ticket["id"],))
        return code


def test_a_ticket_reads_as_in_its_booking_by_id_and_by_number(counter: Counter) -> None:
    ticket = counter.sold(1)["tickets"][0]

    assert counter.caller.read(f"/api/tickets/{ticket['id']}") == ticket
    assert counter.caller.read(f"/api/tickets/{ticket['ticket_number']}") == ticket


def test_a_code_admits_from_confirmation_to_cancellation(counter: Counter) -> None:
    reserved = counter.reserved(1)["tickets"][0]
    booking = counter.sold(2)
    sold = booking["tickets"][0]

    unpaid = validated(counter.caller, stored_code(counter, reserved))
    paid = validated(counter.caller, sold["barcode"])
    counter.given_up(counter.caller.delete(f"/api/bookings/{booking['id']}"))
    given_up = validated(counter.caller, sold["barcode"])

    assert unpaid == {"valid": False, "ticket_number": None, "status": None, "reason": "unknown_code"}
    assert paid == {"valid": True, "ticket_number": sold["ticket_number"], "status": "CONFIRMED", "reason": None}
    assert (given_up["valid"], given_up["status"], given_up["reason"]) == (False, "CANCELLED", "ticket_cancelled")


def test_looking_at_a_code_changes_nothing(counter: Counter) -> None:
    ticket = counter.sold(1)["tickets"][0]

    for _ in range(3):
        assert validated(counter.caller, ticket["barcode"])["valid"]

    assert counter.caller.read(f"/api/tickets/{ticket['id']}") == ticket


def test_a_code_is_read_as_people_type_it_and_a_slip_of_the_hand_is_seen(counter: Counter) -> None:
    code = counter.sold(1)["tickets"][0]["barcode"]
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")

    assert validated(counter.caller, code.lower())["valid"]
    assert validated(counter.caller, wrong)["reason"] == "unknown_code"
    assert validated(counter.caller, "%20")["reason"] == "unknown_code"
    assert refusal(counter.caller.get(f"/api/tickets/validate/{'A' * 81}")) == (422, "invalid")


def test_another_agency_knows_neither_ticket_nor_code(counter: Counter, stranger: Caller, anonymous: Caller) -> None:
    ticket = counter.sold(1)["tickets"][0]

    assert refusal(stranger.get(f"/api/tickets/{ticket['id']}")) == (404, "not_found")
    assert refusal(stranger.get(f"/api/tickets/{ticket['ticket_number']}/download")) == (404, "not_found")
    assert validated(stranger, ticket["barcode"])["reason"] == "unknown_code"
    assert refusal(anonymous.get(f"/api/tickets/{ticket['id']}")) == (401, "unauthenticated")
    assert refusal(counter.caller.get(f"/api/tickets/{new_id()}")) == (404, "not_found")


def test_only_roles_with_tickets_read_them(counter: Counter, finance: Caller, buyer: Caller) -> None:
    ticket = counter.sold(1)["tickets"][0]

    for caller in (finance, buyer):
        assert refusal(caller.get(f"/api/tickets/{ticket['id']}")) == (403, "forbidden")
        assert refusal(caller.get(f"/api/tickets/validate/{ticket['barcode']}")) == (403, "forbidden")


def test_only_a_confirmed_ticket_can_be_downloaded(counter: Counter) -> None:
    reserved = counter.reserved(1)
    expired = counter.reserved(2)
    counter.shop.lapse(UUID(expired["id"]))
    counter.shop.expire(UUID(expired["id"]))

    for booking in (reserved, expired):
        path = f"/api/tickets/{booking['tickets'][0]['id']}/download"
        assert refusal(counter.caller.get(path)) == (409, "ticket_not_valid")
        assert refusal(counter.caller.get(f"/api/bookings/{booking['id']}/tickets.pdf")) == (409, "ticket_not_valid")
