"""Cancelling over HTTP: quotes that are kept to the cent, refusals in their order, and what a booking comes to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from db.ids import new_id
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal
from tests.makers.counter import Counter, a_counter
from tests.makers.selling import Shop, a_shop, authorised


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def counter(boxoffice: Caller, shop: Shop) -> Counter:
    return a_counter(boxoffice, shop)


@pytest.fixture
def example(counter: Counter) -> Any:
    """The contract's: 39.90, 39.90 and 150.00, and a fee of 22.98."""
    for place, amount in ((1, "39.90"), (2, "39.90"), (3, "150.00")):
        counter.shop.price(place, amount)
    return counter.sold(1, 2, 3)


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def cancel(counter: Counter, booking: Any, *places: int, preview: bool = False, **more: Any) -> Any:
    tickets = [booking["tickets"][place - 1]["id"] for place in places]
    path = f"/api/bookings/{booking['id']}/tickets/cancel{'?preview=true' if preview else ''}"
    return counter.caller.post(path, {"ticket_ids": tickets, "reason": "CUSTOMER_REQUEST", **more})


def test_the_contracts_example_over_http(counter: Counter, example: Any) -> None:
    quote = cancel(counter, example, 3, preview=True)

    assert quote.status_code == 200
    shown = quote.json()
    assert set(shown) >= {"quote_id", "expires_at", "lines", "fee_refund", "refund_total", "balance_after"}
    assert [set(line) >= {"ticket_id", "price", "refund", "reason"} for line in shown["lines"]] == [True]
    assert (shown["refund_total"], shown["fee_refund"], shown["balance_after"]) == (
        eur("150.00"),
        eur("0.00"),
        eur("0.00"),
    )
    assert counter.read(example) == example

    answer = cancel(counter, example, 3, quote_id=shown["quote_id"])
    done = counter.given_up(answer)

    assert (answer.json()["kind"], done["status"]) == ("booking.cancel_tickets", "succeeded")
    assert done["progress"] == {"done": 1, "total": 1, "unit": "tickets"}
    assert done["result"]["refund_total"] == eur("150.00")
    assert counter.summary(example) == {
        "subtotal": "79.80",
        "discount_amount": "0.00",
        "service_fee": "22.98",
        "tax_amount": "0.00",
        "cancellation_charge": "0.00",
        "total_amount": "102.78",
        "paid": "252.78",
        "refunded": "150.00",
        "refunds_pending": "0.00",
        "balance": "0.00",
    }
    found = counter.read(example)
    assert (found["status"], found["payment_status"], found["ticket_count"]) == ("CONFIRMED", "PARTIALLY_REFUNDED", 2)
    assert [ticket["status"] for ticket in found["tickets"]] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert found["tickets"][2]["barcode"] is None
    assert counter.shop.faults() == []


def test_all_tickets_end_it_as_refunded(counter: Counter, example: Any) -> None:
    counter.given_up(counter.caller.delete(f"/api/bookings/{example['id']}?reason=FRAUD"))

    found = counter.read(example)
    assert (found["status"], found["cancellation_reason"]) == ("REFUNDED", "FRAUD")
    assert found["payment_status"] == "PARTIALLY_REFUNDED"
    assert counter.summary(example)["total_amount"] == "22.98"
    assert counter.summary(example)["balance"] == "0.00"


def test_refund_attempts_are_shown_with_what_became_of_them(counter: Counter, example: Any) -> None:
    counter.given_up(cancel(counter, example, 1))
    counter.given_up(cancel(counter, example, 2))

    rows = counter.caller.read(f"/api/bookings/{example['id']}/refunds")["data"]

    assert [(row["amount"], row["status"], row["reason"]) for row in rows] == [
        (eur("39.90"), "SETTLED", "CUSTOMER_REQUEST")
    ] * 2
    assert all(row["provider_refund_id"] for row in rows)


def test_while_money_is_on_its_way_back_it_counts_as_spent(counter: Counter, example: Any) -> None:
    answer = cancel(counter, example, 3)
    counter.shop.cancel(UUID(answer.json()["id"]))

    summary = counter.summary(example)
    assert (summary["refunded"], summary["refunds_pending"], summary["balance"]) == ("0.00", "150.00", "0.00")


def test_refusals_of_a_cancellation_come_in_order(counter: Counter) -> None:
    unpaid = counter.reserved(1)
    paying = counter.reserved(2)
    counter.shop.settle(UUID(counter.pay(paying).json()["id"]), authorised())
    unknown = counter.caller.post(
        f"/api/bookings/{unpaid['id']}/tickets/cancel", {"ticket_ids": [str(new_id())], "reason": "DUPLICATE"}
    )

    assert refusal(unknown) == (422, "unknown_id")
    assert faults(unknown) == [("/ticket_ids/0", "unknown_id")]
    assert refusal(cancel(counter, unpaid, 1)) == (409, "wrong_state")
    assert refusal(cancel(counter, counter.read(paying), 1)) == (409, "payment_in_progress")
    assert refusal(cancel(counter, unpaid, 1, reason="EXPIRED")) == (422, "invalid")


def test_a_quote_is_good_once_for_its_tickets_and_booking(counter: Counter, example: Any) -> None:
    other = counter.sold(4)
    quote_id = cancel(counter, example, 1, preview=True).json()["quote_id"]
    counter.given_up(cancel(counter, example, 1, quote_id=quote_id))

    assert refusal(cancel(counter, example, 1, quote_id=quote_id)) == (409, "quote_stale")
    assert refusal(cancel(counter, example, 2, quote_id=quote_id)) == (409, "quote_stale")
    foreign = cancel(counter, other, 1, quote_id=quote_id)
    assert refusal(foreign) == (422, "unknown_id")
    assert faults(foreign) == [("/quote_id", "unknown_id")]
    assert refusal(cancel(counter, example, 1)) == (409, "ticket_not_valid")


def test_after_the_start_it_is_too_late(counter: Counter, example: Any) -> None:
    with counter.shop.tx() as tx:
        tx.run("UPDATE events SET start_at = now() WHERE id = %s", (counter.shop.stock.event_id,))

    assert refusal(cancel(counter, example, 1)) == (409, "too_late")
    assert refusal(cancel(counter, example, 1, preview=True)) == (409, "too_late")


def test_the_history_tells_who_did_what(counter: Counter, example: Any, tenant: Agency) -> None:
    counter.given_up(cancel(counter, example, 3))

    rows = counter.caller.read(f"/api/bookings/{example['id']}/history")["data"]

    assert [(row["from"], row["to"]) for row in reversed(rows)] == [
        (None, "RESERVED"),
        ("payment PENDING", "payment PROCESSING"),
        ("RESERVED", "CONFIRMED"),
        ("payment PROCESSING", "payment COMPLETED"),
        ("CONFIRMED", "CONFIRMED"),
        ("payment COMPLETED", "payment PARTIALLY_REFUNDED"),
    ]
    assert {row["by"] for row in rows} == {tenant.boxoffice.email}
    assert rows[1]["reason"] == "CUSTOMER_REQUEST"
