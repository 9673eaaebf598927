"""The steps of an order: races between people, reminders and lapses, and steps that run twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from activities.purchasing import OrderRef, Purchasing, Reminder
from db.transaction import Database
from domain.purchasing import OrderStatus
from tests.makers.access import Agency, Person
from tests.makers.buying import Buying, a_supplier, buying_in
from tests.makers.callers import Caller, with_key


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def letters(buying: Buying) -> list[tuple[str, str]]:
    with buying.database.transaction(buying.tenant_id) as tx:
        rows = tx.dicts("SELECT payload FROM outbox WHERE kind = 'MAIL' ORDER BY id")
    return [(row["payload"]["letter"], row["payload"]["to"]) for row in rows]


def at_once(buying: Buying, operations: list[Any]) -> list[Any]:
    """Every operation's step at the same moment; how they ended."""
    barrier = Barrier(len(operations))

    def step(operation: Any) -> Any:
        barrier.wait()
        buying.step(operation)
        return buying.buyer.read(f"/api/operations/{operation['id']}")

    with ThreadPoolExecutor(len(operations)) as pool:
        return list(pool.map(step, operations))


def ref(buying: Buying, order: Any) -> OrderRef:
    return OrderRef(tenant_id=buying.tenant_id, order_id=UUID(order["id"]))


def test_five_confirmations_at_once_have_one_winner(buying: Buying) -> None:
    order = buying.pending()
    asked = [buying.ask(order["id"], "confirm", {"supplier_reference": f"AB-{n}"}).json() for n in range(5)]

    ended = at_once(buying, asked)

    assert sorted(operation["status"] for operation in ended) == ["failed"] * 4 + ["succeeded"]
    assert {operation["error"]["code"] for operation in ended if operation["error"]} == {"wrong_state"}
    assert [change["to"] for change in buying.order(order["id"])["history"]].count("CONFIRMED") == 1


def test_a_confirmation_and_a_cancellation_at_once_come_one_after_the_other(buying: Buying) -> None:
    order = buying.pending()
    asked = [
        buying.ask(order["id"], "confirm").json(),
        buying.ask(order["id"], "cancel", {"reason": "Changed our minds"}).json(),
    ]

    ended = at_once(buying, asked)

    found = buying.order(order["id"])
    assert ended[1]["status"] == "succeeded"
    assert (found["status"], found["lines"][0]["cancelled_quantity"]) == ("CANCELLED", 10)
    assert found["confirmed_at"] is None or ended[0]["status"] == "succeeded"


def test_a_reminder_is_one_letter_however_often_its_step_runs(buying: Buying) -> None:
    order = buying.pending()
    steps = Purchasing(buying.database)

    reminders = [
        Reminder(tenant_id=buying.tenant_id, order_id=UUID(order["id"]), number=number) for number in (1, 1, 2)
    ]
    stands = [steps.remind(reminder).status for reminder in reminders]

    assert stands == [OrderStatus.PENDING] * 3
    assert [letter for letter, _ in letters(buying)] == ["order_to_supplier", "order_reminder", "order_reminder"]
    assert {to for _, to in letters(buying)} == {"orders@theater.example"}


def test_nobody_is_reminded_of_an_order_that_was_answered(buying: Buying) -> None:
    order = buying.confirmed()

    stands = Purchasing(buying.database).remind(
        Reminder(tenant_id=buying.tenant_id, order_id=UUID(order["id"]), number=1)
    )

    assert stands.status == OrderStatus.CONFIRMED
    assert "order_reminder" not in dict(letters(buying))


def test_an_order_nobody_answers_lapses_once(buying: Buying) -> None:
    order = buying.pending()
    steps = Purchasing(buying.database)

    stands = [steps.lapse(ref(buying, order)).status for _ in range(2)]

    found = buying.order(order["id"])
    assert stands == [OrderStatus.CANCELLED] * 2
    assert (found["status"], found["lines"][0]["cancelled_quantity"]) == ("CANCELLED", 10)
    assert found["history"][-1] == {
        **found["history"][-1],
        "by": "allotment",
        "from": "PENDING",
        "to": "CANCELLED",
        "reason": "The supplier did not answer in time.",
    }
    assert [letter for letter, _ in letters(buying)] == ["order_to_supplier", "order_lapsed"]


def test_an_order_that_was_answered_does_not_lapse(buying: Buying) -> None:
    order = buying.confirmed()

    assert Purchasing(buying.database).lapse(ref(buying, order)).status == OrderStatus.CONFIRMED


def test_a_supplier_from_before_addresses_were_asked_for_gets_no_letter(buying: Buying) -> None:
    supplier_id = a_supplier(buying.buyer)
    with buying.database.transaction(buying.tenant_id) as tx:
        tx.run("UPDATE suppliers SET email = NULL WHERE id = %s", (supplier_id,))
    buying.pending(supplier_id=supplier_id)

    assert letters(buying) == []


def test_an_order_made_with_a_key_is_told_to_a_buyer(buying: Buying, owner: Caller, tenant: Agency) -> None:
    key = owner.made("/api/api-keys", {"name": "shop", "scopes": ["orders:write", "receipts:write"]})["key"]
    by_key = Buying(
        with_key(buying.buyer.http, key),
        buying.finance,
        buying.database,
        buying.tenant_id,
        buying.event_id,
        buying.supplier_id,
    )
    order = by_key.draft()
    for verb in ("submit", "confirm"):
        buying.done(order["id"], verb)

    buying.received(order, "Parkett/A/1")

    told: Person = tenant.buyer
    assert order["created_by"] == "key shop"
    assert dict(letters(buying))["receipt_to_buyer"] == told.email


def test_submitting_reads_the_order_as_it_is_then(buying: Buying) -> None:
    order = buying.draft()
    asked = buying.ask(order["id"], "submit").json()
    body = {
        "supplier_id": buying.supplier_id,
        "fulfillment_method": "WILL_CALL",
        "lines": [{**order["lines"][0], "quantity": 4}],
    }
    wanted = ("event_id", "description", "quantity", "unit_price")
    body["lines"] = [{name: {**order["lines"][0], "quantity": 4}[name] for name in wanted}]
    buying.buyer.put(f"/api/purchase-orders/{order['id']}", body, headers={"If-Match": "*"})

    buying.step(asked)

    found = buying.order(order["id"])
    assert (found["status"], found["total_amount"]["amount"]) == ("PENDING", "80.00")
