"""/api/payments from outside: one payment at a time, an operation that tells its end, and who may look."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from db.ids import new_id
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal
from tests.makers.counter import Counter, a_counter
from tests.makers.selling import Shop, a_shop, authorised, captured, declined, refunded, refused


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def counter(boxoffice: Caller, shop: Shop) -> Counter:
    return a_counter(boxoffice, shop)


def payment(counter: Counter, answer: Any) -> Any:
    return counter.caller.read(f"/api/payments/{answer.json()['id']}")


def test_a_payment_is_an_operation_from_queued_to_succeeded(counter: Counter) -> None:
    booking = counter.reserved(1)

    answer = counter.pay(booking)

    asked = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/operations/{asked['id']}"
    assert (asked["kind"], asked["status"], asked["subject"]["id"]) == ("payment.process", "queued", booking["id"])
    assert counter.read(booking)["payment_status"] == "PROCESSING"
    assert counter.read(booking)["can"] == []
    waiting = payment(counter, answer)
    assert (waiting["status"], waiting["amount"]) == ("PROCESSING", {"amount": "38.50", "currency": "EUR"})
    assert "token" not in waiting

    done = counter.taken(answer)

    assert done["status"] == "succeeded"
    assert done["result"] == {"payment_id": asked["id"], "booking_id": booking["id"], "status": "COMPLETED"}
    found = payment(counter, answer)
    assert (found["status"], found["provider"], found["failure_reason"]) == ("COMPLETED", "simulated", None)
    assert found["provider_transaction_id"] == f"ch_{UUID(asked['id']).hex}"
    assert found["refunded_amount"] == {"amount": "0.00", "currency": "EUR"}


@pytest.mark.parametrize("code", ["card_declined", "insufficient_funds"])
def test_a_failed_operation_carries_the_problem(counter: Counter, code: str) -> None:
    answer = counter.pay(counter.reserved(1))

    failed = counter.taken(answer, said=declined(code))

    assert (failed["status"], failed["error"]["code"], failed["error"]["status"]) == ("failed", code, 409)
    assert failed["error"]["instance"] == f"/api/operations/{failed['id']}"
    assert failed["ended_at"] is not None
    assert (payment(counter, answer)["status"], payment(counter, answer)["failure_reason"]) == ("FAILED", code)


def test_a_capture_refused_is_told_by_booking_payment_and_operation(counter: Counter) -> None:
    booking = counter.reserved(1)

    failed = counter.taken(counter.pay(booking), then=refused("capture_refused"))

    found = counter.read(booking)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "capture_refused")
    assert (found["status"], found["cancellation_reason"]) == ("CANCELLED", "PAYMENT_FAILED")
    assert found["payment_status"] == "FAILED"
    assert counter.summary(booking)["balance"] == counter.summary(booking)["paid"] == "0.00"


def test_late_money_that_went_back_leaves_nothing_owed(counter: Counter) -> None:
    booking = counter.reserved(1)
    answer = counter.pay(booking)
    counter.shop.lapse(UUID(booking["id"]))
    counter.reserved(1)

    settled = counter.shop.settle(UUID(answer.json()["id"]), captured())
    assert settled.refund_id is not None
    counter.shop.refund(settled.refund_id, refunded())

    found, summary = counter.read(booking), counter.summary(booking)
    assert (found["status"], found["cancellation_reason"]) == ("CANCELLED", "EXPIRED")
    assert found["payment_status"] == "REFUNDED"
    assert (summary["paid"], summary["refunded"], summary["balance"]) == ("38.50", "38.50", "0.00")
    assert counter.operation(answer)["error"]["code"] == "reservation_expired"
    assert payment(counter, answer)["refunded_amount"]["amount"] == "38.50"


def test_twenty_payments_at_once_are_one_operation(counter: Counter) -> None:
    booking = counter.reserved(1)
    barrier = threading.Barrier(20)

    def pay(_: int) -> Any:
        barrier.wait(timeout=30)
        return counter.pay(booking)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(pay, range(20)))

    assert sum(answer.status_code == 202 for answer in answers) == 1
    others = {refusal(answer) for answer in answers if answer.status_code != 202}
    assert others == {(409, "payment_in_progress")}


def test_a_booking_that_is_paid_ended_or_over_is_refused(counter: Counter) -> None:
    paid, let_go, over = counter.sold(1), counter.reserved(2), counter.reserved(3)
    counter.given_up(counter.caller.delete(f"/api/bookings/{let_go['id']}"))
    counter.shop.lapse(UUID(over["id"]))

    assert refusal(counter.pay(paid)) == (409, "already_paid")
    assert refusal(counter.pay(let_go)) == (409, "booking_ended")
    assert refusal(counter.pay(over)) == (409, "reservation_expired")
    counter.shop.expire(UUID(over["id"]))
    assert refusal(counter.pay(over)) == (409, "reservation_expired")


def test_a_booking_nobody_knows_points_at_its_field(counter: Counter, stranger: Caller) -> None:
    known = counter.reserved(1)
    unknown = counter.pay({"id": str(new_id())})

    assert refusal(unknown) == (422, "unknown_id")
    assert faults(unknown) == [("/booking_id", "unknown_id")]
    assert refusal(Counter(stranger, counter.shop, counter.customer_id).pay(known)) == (422, "unknown_id")
    assert counter.read(known) == known


@pytest.mark.parametrize(
    "change", [{"provider": "other"}, {"method": "CASH"}, {"token": ""}, {"token": "tok ok"}, {"token": "t" * 101}]
)
def test_a_payment_names_a_provider_a_method_and_a_token(counter: Counter, change: dict[str, str]) -> None:
    booking = counter.reserved(1)
    body = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": "tok_ok", **change}

    assert refusal(counter.caller.post("/api/payments/process", body)) == (422, "invalid")
    assert refusal(counter.caller.post("/api/payments/process", {**body, "amount": "1"}))[0] == 422
    assert counter.read(booking) == booking


def test_only_who_may_take_money_takes_it(counter: Counter, finance: Caller, buyer: Caller, stranger: Caller) -> None:
    booking = counter.reserved(1)
    answer = counter.pay(booking)

    for caller in (finance, buyer):
        assert refusal(Counter(caller, counter.shop, counter.customer_id).pay(booking)) == (403, "forbidden")
    assert finance.read(f"/api/payments/{answer.json()['id']}")["status"] == "PROCESSING"
    assert refusal(buyer.get(f"/api/payments/{answer.json()['id']}")) == (403, "forbidden")
    assert refusal(stranger.get(f"/api/payments/{answer.json()['id']}")) == (404, "not_found")
    assert refusal(stranger.get(f"/api/operations/{answer.json()['id']}")) == (404, "not_found")


def test_the_same_key_is_the_same_operation_in_its_present_state(counter: Counter) -> None:
    booking, key = counter.reserved(1), {"Idempotency-Key": "pay-1"}
    first = counter.pay(booking, headers=key)
    counter.taken(first)

    again = counter.pay(booking, headers=key)
    other = counter.pay(booking, token="tok_declined", headers=key)

    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "succeeded")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_client_may_wait_for_the_end(counter: Counter) -> None:
    booking = counter.reserved(1)

    def take_soon() -> None:
        with counter.shop.tx() as tx:
            tx.run("SELECT pg_sleep(0.4)")
            payment_id = tx.value("SELECT id FROM payments WHERE booking_id = %s", (booking["id"],))
        counter.shop.settle(payment_id, authorised())
        counter.shop.capture(payment_id, captured())

    threading.Timer(0.3, take_soon).start()
    answer = counter.pay(booking, headers={"Prefer": "wait=10"})

    assert answer.json()["status"] == "succeeded"
    assert answer.headers["Preference-Applied"] == "wait=10"


@pytest.mark.parametrize("prefer", ["wait=0", "wait=\xb2", "wait=-1", "wait=soon", "respond-async", "wait="])
def test_a_wish_that_cannot_be_read_is_no_wish(counter: Counter, prefer: str) -> None:
    answer = counter.pay(counter.reserved(1), headers={"Prefer": prefer.encode("latin-1")})

    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
