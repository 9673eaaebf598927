"""Taking deliveries in: races with one winner, whole or not at all, and ten thousand seats in one short transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest

from activities import delivering
from activities.receiving import DeliveryStep, Receiving
from db import purchasing, receiving
from db.transaction import Database, Tx
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_block, a_line, a_note, buying_in
from tests.makers.callers import Caller


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def at_once(acts: Sequence[Callable[[], Any]]) -> None:
    """Do all of these in threads of their own, from the same moment on."""
    barrier = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> None:
        barrier.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(one, acts))


def steps(buying: Buying, operations: Sequence[Any]) -> None:
    """Every operation's step at the same moment."""
    at_once([lambda operation=operation: buying.step(operation) for operation in operations])  # type: ignore[misc]


def ended(buying: Buying, operations: Sequence[Any]) -> list[Any]:
    return [buying.buyer.read(f"/api/operations/{operation['id']}") for operation in operations]


def owned(buying: Buying) -> int:
    found: int = buying.buyer.read(f"/api/events/{buying.event_id}/availability")["owned"]
    return found


def test_a_note_that_comes_in_while_its_twin_is_looked_at_is_the_twins_receipt_too(
    buying: Buying, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = buying.confirmed()
    note = a_note(order, "Parkett/A/*")
    first = buying.ask(order["id"], "receive", note).json()
    plan = delivering.plan

    def after_the_twin(tx: Tx, known: Any, given: Any, *, lock: bool) -> Any:
        if not lock:
            buying.step(first)
        return plan(tx, known, given, lock=lock)

    monkeypatch.setattr(delivering, "plan", after_the_twin)
    second = buying.ask(order["id"], "receive", note).json()

    found = ended(buying, [first, second])
    assert [one["status"] for one in found] == ["succeeded"] * 2
    assert found[0]["result"] == found[1]["result"]


def test_the_same_delivery_by_five_callers_at_once_is_one_receipt(buying: Buying) -> None:
    order = buying.confirmed()
    asked = [buying.ask(order["id"], "receive", a_note(order, "Parkett/A/*")).json() for _ in range(5)]

    steps(buying, asked)

    found = ended(buying, asked)
    assert [operation["status"] for operation in found] == ["succeeded"] * 5
    assert len({operation["result"]["receipt_id"] for operation in found}) == 1
    assert len(buying.order(order["id"])["receipts"]) == 1
    assert owned(buying) == 10


def test_two_orders_delivering_the_same_seats_at_once_have_one_winner(buying: Buying) -> None:
    orders = [buying.confirmed(), buying.confirmed()]
    notes = [a_note(orders[0], "Parkett/A/1-8"), a_note(orders[1], "Parkett/B/1-2", "Parkett/A/8,5")]
    asked = [buying.ask(order["id"], "receive", note).json() for order, note in zip(orders, notes, strict=True)]

    steps(buying, asked)

    found = ended(buying, asked)
    assert sorted(operation["status"] for operation in found) == ["failed", "succeeded"]
    (loser,) = [operation for operation in found if operation["status"] == "failed"]
    (winner,) = [operation for operation in found if operation["status"] == "succeeded"]
    assert loser["error"]["code"] == "seat_already_owned"
    assert loser["error"]["seats"][0]["po_number"] == winner["subject"]["number"]
    assert owned(buying) == winner["result"]["received"]


def test_two_blocks_of_one_section_at_once_share_it_without_overlap(buying: Buying) -> None:
    orders = [buying.confirmed(a_line(buying.event_id, quantity=12)) for _ in range(3)]
    asked = [buying.ask(order["id"], "receive", a_block(order, "Parkett", 12)).json() for order in orders]

    steps(buying, asked)

    found = ended(buying, asked)
    assert sorted(operation["status"] for operation in found) == ["failed", "succeeded", "succeeded"]
    (loser,) = [operation for operation in found if operation["status"] == "failed"]
    assert (loser["error"]["code"], loser["error"]["available"]) == ("block_too_small", 6)
    assert owned(buying) == 24


def test_two_deliveries_of_one_line_at_once_never_exceed_it(buying: Buying) -> None:
    order = buying.confirmed()
    notes = [a_note(order, f"Parkett/{row}/1-6", reference=row) for row in "ABC"]
    asked = [buying.ask(order["id"], "receive", note).json() for note in notes]

    steps(buying, asked)

    found = ended(buying, asked)
    assert sorted(operation["status"] for operation in found) == ["failed", "failed", "succeeded"]
    assert {operation["error"]["code"] for operation in found if operation["error"]} == {"over_delivery"}
    assert buying.order(order["id"])["lines"][0]["received_quantity"] == 6


def test_a_delivery_and_a_cancellation_at_once_leave_a_closed_order_either_way(buying: Buying) -> None:
    order = buying.confirmed()
    receive = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-6")).json()
    cancel = buying.ask(order["id"], "cancel", {"reason": "Tour off"}).json()

    steps(buying, [receive, cancel])

    found = buying.order(order["id"])
    line = found["lines"][0]
    assert line["received_quantity"] + line["cancelled_quantity"] == 10
    assert found["status"] == ("COMPLETED" if line["received_quantity"] else "CANCELLED")


def test_running_a_step_twice_changes_nothing(buying: Buying) -> None:
    order = buying.confirmed()
    operation = buying.carried(buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-6")))
    before = buying.order(order["id"])

    buying.step(operation)

    assert buying.order(order["id"]) == before
    assert owned(buying) == 6


def test_an_operation_asked_on_an_order_closed_meanwhile_is_refused(buying: Buying) -> None:
    order = buying.confirmed()
    late = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1")).json()
    buying.done(order["id"], "cancel", {"reason": "Tour off"})

    buying.step(late)

    (found,) = ended(buying, [late])
    assert (found["status"], found["error"]["code"]) == ("failed", "not_receivable")


def test_a_refusal_in_the_step_points_at_the_line_of_the_file(buying: Buying) -> None:
    first, order = buying.confirmed(), buying.confirmed()
    path = f"/api/purchase-orders/{order['id']}/receive"
    content = b"line,section,row,seat\n1,Parkett,A,1\n1,Parkett,A,2\n"
    asked = buying.buyer.upload(path, content, fields={"delivery_reference": "LS-1"}).json()
    buying.received(first, "Parkett/A/2")

    buying.step(asked)

    (found,) = ended(buying, [asked])
    assert [entry["pointer"] for entry in found["error"]["errors"]] == ["/lines/3"]


def test_a_delivery_that_dies_halfway_leaves_nothing(buying: Buying, owner_connection: psycopg.Connection[Any]) -> None:
    order = buying.confirmed()
    asked = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-6")).json()
    # The books refuse the entry at the very end of the transaction.
    owner_connection.execute(
        """CREATE FUNCTION break_for_a_test() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'power cut'; END $$"""
    )
    trigger = """CREATE TRIGGER broken BEFORE INSERT ON outbox FOR EACH ROW
                 WHEN (NEW.key LIKE 'mail receipt_to_buyer %') EXECUTE FUNCTION break_for_a_test()"""
    owner_connection.execute(trigger)
    try:
        with pytest.raises(psycopg.errors.RaiseException):
            buying.step(asked)
    finally:
        owner_connection.execute("DROP TRIGGER broken ON outbox")
        owner_connection.execute("DROP FUNCTION break_for_a_test")
    halfway = (owned(buying), buying.order(order["id"])["receipts"], ended(buying, [asked])[0]["status"])

    buying.step(asked)

    assert halfway == (0, [], "queued")
    assert (owned(buying), ended(buying, [asked])[0]["status"]) == (6, "succeeded")


def a_big_hall(seats: int) -> bytes:
    """`seats` seats in rows of a hundred over four sections."""
    sections = ("Nord", "Ost", "Süd", "West")
    lines = [f"{sections[n * 4 // seats]},{n // 100 + 1},{n % 100 + 1}" for n in range(seats)]
    return "\n".join(["section,row,seat", *lines]).encode()


def test_ten_thousand_seats_are_one_short_transaction(
    database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller, statements: list[str]
) -> None:
    buying = buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id, csv=a_big_hall(10_000))
    order = buying.confirmed(a_line(buying.event_id, quantity=10_000, unit_price="19.9999"))
    asked = buying.ask(order["id"], "receive", a_block(order, "Nord", 1)).json()
    assert asked["status"] == "queued"
    whole = [f"{section}/*/*" for section in ("Nord", "Ost", "Süd", "West")]
    asked = buying.ask(order["id"], "receive", a_note(order, *whole, reference="LS-2")).json()
    statements.clear()
    began = time.perf_counter()

    buying.step(asked)

    took = time.perf_counter() - began
    (found,) = ended(buying, [asked])
    assert found["result"]["received"] == 10_000
    assert buying.order(order["id"])["received_amount"]["amount"] == "199999.00"
    assert len(statements) < 100, "statements do not grow with seats"
    assert took < 15


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to PostgreSQL so far."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    return sent


def test_a_receipt_has_the_operations_id_and_repeats_find_it(buying: Buying) -> None:
    order = buying.confirmed()
    asked = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1")).json()
    step = DeliveryStep(tenant_id=buying.tenant_id, order_id=UUID(order["id"]), operation_id=UUID(asked["id"]))

    first = Receiving(buying.database).record(step)
    second = Receiving(buying.database).record(step)

    assert first == second
    assert first.status == "PARTIALLY_RECEIVED"
    assert ended(buying, [asked])[0]["result"]["receipt_id"] == asked["id"]


def test_without_the_lock_on_seats_the_second_delivery_finds_out_too_late(
    buying: Buying, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [buying.confirmed(), buying.confirmed()]
    asked = [buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-5")).json() for order in orders]
    both_have_looked = Barrier(2)

    def look(tx: Tx, seat_ids: Sequence[UUID]) -> set[UUID]:
        both_have_looked.wait(timeout=10)
        return set(seat_ids)

    monkeypatch.setattr(receiving, "lock_seats", look)

    with pytest.raises(AssertionError, match="locked before they are taken"):
        steps(buying, asked)

    assert owned(buying) == 5


def test_without_the_lock_on_the_order_the_line_itself_still_refuses_too_many(
    buying: Buying, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = buying.confirmed()
    notes = [a_note(order, f"Parkett/{row}/1-6", reference=row) for row in "AB"]
    asked = [buying.ask(order["id"], "receive", note).json() for note in notes]
    both_have_looked = Barrier(2)

    def look(tx: Tx, order_id: UUID) -> purchasing.OrderWithLines | None:
        found = purchasing.find(tx, order_id)
        both_have_looked.wait(timeout=10)
        return found

    monkeypatch.setattr(purchasing, "lock", look)

    with pytest.raises(psycopg.errors.CheckViolation):
        steps(buying, asked)

    assert buying.order(order["id"])["lines"][0]["received_quantity"] == 6
