"""Paying: races for one bill and one advance, and steps that run twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import psycopg
import pytest

from db import payables, purchasing
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_line, a_note, buying_in, eur
from tests.makers.callers import Caller, refusal

PAYMENT = {"method": "BANK_TRANSFER", "reference": "SEPA-1"}


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def at_once(buying: Buying, operations: list[Any]) -> list[Any]:
    """Every operation's step at the same moment; how they ended."""
    barrier = Barrier(len(operations))

    def step(operation: Any) -> Any:
        barrier.wait()
        buying.step(operation)
        return buying.buyer.read(f"/api/operations/{operation['id']}")

    with ThreadPoolExecutor(len(operations)) as pool:
        return list(pool.map(step, operations))


def balance(buying: Buying, account: str) -> Decimal:
    with buying.database.transaction(buying.tenant_id) as tx:
        found: Decimal = tx.value("SELECT coalesce(sum(amount), 0) FROM journal_legs WHERE account = %s", (account,))
    return found


def ask_bill(buying: Buying, bill_id: str, **more: Any) -> Any:
    return buying.finance.made(f"/api/accounts-payable/{bill_id}/pay", {**PAYMENT, **more})


def test_five_payments_of_one_bill_at_once_have_one_winner(buying: Buying) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/*")["result"]["bill_id"]
    asked = [ask_bill(buying, bill_id) for _ in range(5)]

    ended = at_once(buying, asked)

    assert sorted(operation["status"] for operation in ended) == ["failed"] * 4 + ["succeeded"]
    assert {operation["error"]["code"] for operation in ended if operation["error"]} == {"overpayment"}
    assert (balance(buying, "1000"), balance(buying, "2100")) == (Decimal("-200.00"), Decimal(0))


def test_a_bill_paid_by_itself_and_through_its_order_at_once_is_paid_once(buying: Buying) -> None:
    order = buying.confirmed()
    bill_id = buying.received(order, "Parkett/A/*")["result"]["bill_id"]
    asked = [ask_bill(buying, bill_id), buying.ask(order["id"], "pay", PAYMENT).json()]

    ended = at_once(buying, asked)

    assert sorted(operation["status"] for operation in ended) == ["failed", "succeeded"]
    assert balance(buying, "1000") == Decimal("-200.00")


def test_advances_at_once_never_exceed_the_room(buying: Buying) -> None:
    order = buying.confirmed()
    asked = [buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("90.00")}).json() for _ in range(4)]

    ended = at_once(buying, asked)

    assert sorted(operation["status"] for operation in ended) == ["failed", "failed", "succeeded", "succeeded"]
    assert balance(buying, "1300") == Decimal("180.00")


def test_a_delivery_and_an_advance_at_once_leave_the_same_books_either_way(buying: Buying) -> None:
    order = buying.confirmed()
    asked = [
        buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-5")).json(),
        buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("120.00")}).json(),
    ]

    ended = at_once(buying, asked)

    assert [operation["status"] for operation in ended] == ["succeeded", "succeeded"]
    assert (balance(buying, "2100"), balance(buying, "1300")) == (Decimal(0), Decimal("20.00"))
    assert buying.order(order["id"])["open_amount"] == eur("0.00")


def test_running_a_payments_step_twice_pays_once(buying: Buying) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/*")["result"]["bill_id"]
    asked = ask_bill(buying, bill_id, amount=eur("50.00"))

    ended = [at_once(buying, [asked])[0] for _ in range(2)]

    assert ended[0]["result"] == ended[1]["result"]
    assert balance(buying, "1000") == Decimal("-50.00")


def test_without_the_orders_lock_the_bill_itself_still_refuses_a_second_payment(
    buying: Buying, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/*")["result"]["bill_id"]
    asked = [ask_bill(buying, bill_id) for _ in range(2)]
    both_have_looked = Barrier(2)

    def look(*args: Any) -> Any:
        found = payables.bills_of(*args)
        both_have_looked.wait(timeout=10)
        return found

    monkeypatch.setattr(purchasing, "lock", purchasing.find)
    monkeypatch.setattr(payables, "lock_bills_of", look)

    with pytest.raises(psycopg.errors.CheckViolation):
        at_once(buying, asked)

    assert balance(buying, "1000") == Decimal("-200.00")


def thirds(buying: Buying, *numbers: int) -> Any:
    """An order of three seats at 33.333, confirmed at 100.00, with these seats delivered one by one at 33.33."""
    order = buying.confirmed(a_line(buying.event_id, quantity=3, unit_price="33.333"))
    for number in numbers:
        buying.received(order, f"Parkett/A/{number}", reference=f"LS-{number}")
    return order


def test_the_cent_that_rounding_left_is_not_paid_once_nothing_is_to_come(buying: Buying) -> None:
    order = thirds(buying, 1, 2, 3)
    too_much = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("100.00")})
    buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("99.99")})

    cent = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("0.01")})
    whatever = buying.ask(order["id"], "pay", PAYMENT)

    assert [refusal(answer) for answer in (too_much, cent, whatever)] == [
        (409, "overpayment"),
        (409, "overpayment"),
        (409, "nothing_to_pay"),
    ]
    assert (balance(buying, "2100"), balance(buying, "1300")) == (Decimal(0), Decimal(0))


def test_while_a_seat_is_to_come_the_room_is_all_that_was_confirmed(buying: Buying) -> None:
    order = thirds(buying, 1, 2)

    buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("100.00")})

    assert (balance(buying, "2100"), balance(buying, "1300")) == (Decimal(0), Decimal("33.34"))


def test_an_advance_asked_for_before_the_last_delivery_is_refused_after_it(buying: Buying) -> None:
    order = thirds(buying, 1, 2)
    asked = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("100.00")}).json()
    buying.received(order, "Parkett/A/3", reference="LS-3")

    (ended,) = at_once(buying, [asked])

    assert (ended["status"], ended["error"]["code"]) == ("failed", "overpayment")


def test_what_was_cancelled_is_not_to_come(buying: Buying) -> None:
    order = thirds(buying, 1, 2)
    buying.done(order["id"], "cancel", {"reason": "Tour off"})

    answer = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("66.67")})

    assert (refusal(answer), answer.json()["advance_room"]) == ((409, "overpayment"), eur("0.00"))
