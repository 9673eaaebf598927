"""The process of an order: what it does when, with steps that only remember; and once whole, on the real ones."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.payables import Payables
from activities.purchasing import Purchasing
from activities.receiving import Receiving
from db.ids import new_id
from db.transaction import Database
from domain.purchasing import OrderStatus
from gateways.temporal import Engine
from tests.makers.access import Agency
from tests.makers.buying import a_note, buying_in
from tests.makers.callers import Caller
from tests.makers.order_process import Order, Rehearsal, an_order_process
from tests.workflows.conftest import Serve


@pytest.fixture
def new_order(engine: Engine, client: Client) -> Callable[..., Order]:
    return partial(an_order_process, engine, client)


async def eventually(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.05)


async def test_an_order_goes_from_its_submission_to_its_last_delivery(
    serve: Serve, new_order: Callable[..., Order]
) -> None:
    told, order = Rehearsal(), new_order()

    async with serve(told.steps):
        for verb in ("submit", "confirm", "receive"):
            await order.ask(verb)
        told.delivery_leads_to = OrderStatus.COMPLETED
        await order.ask("receive")
        await order.ended()

    assert told.calls == ["submit", "confirm", "receive", "receive"]


async def test_an_unanswered_order_is_reminded_of_and_lapses(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(), new_order(reminder_after="PT1.5S", lapse_after="PT4S")

    async with serve(told.steps):
        await order.ask("submit")
        await order.ended()

    assert told.calls == ["submit", "remind 1", "remind 2", "lapse"]


async def test_an_answer_ends_the_reminders(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(), new_order(reminder_after="PT0.5S", lapse_after="PT1S")

    async with serve(told.steps):
        await order.ask("submit")
        await order.ask("confirm")
        await asyncio.sleep(1.5)
        await order.ask("cancel")
        await order.ended()

    assert told.calls == ["submit", "confirm", "cancel"]


async def test_two_things_never_happen_to_an_order_at_once(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(status=OrderStatus.CONFIRMED, slow=0.15), new_order()

    async with serve(told.steps):
        await asyncio.gather(*(order.ask("receive") for _ in range(6)))
        await order.ask("cancel")
        await order.ended()

    assert told.most_busy == 1
    assert told.calls == ["receive"] * 6 + ["cancel"]


async def test_a_process_begun_again_goes_on_where_the_order_stands(
    serve: Serve, new_order: Callable[..., Order]
) -> None:
    told, order = Rehearsal(status=OrderStatus.CONFIRMED), new_order()

    async with serve(told.steps):
        await order.ask("receive")
        await order.handle.terminate("the engine lost it")
        await order.ask("receive")
        await order.ask("cancel")
        await order.ended()

    assert told.calls == ["receive", "receive", "cancel"]


async def test_a_repeated_delivery_of_a_closed_order_is_still_answered(
    serve: Serve, new_order: Callable[..., Order]
) -> None:
    told = Rehearsal(status=OrderStatus.COMPLETED, delivery_leads_to=OrderStatus.COMPLETED)
    order = new_order()

    async with serve(told.steps):
        await order.ask("receive")
        await order.ended()
        await order.ask("receive")
        await order.ended()

    assert told.calls == ["receive", "receive"]


async def test_a_refused_submission_ends_the_process_and_the_next_one_begins_anew(
    serve: Serve, new_order: Callable[..., Order]
) -> None:
    told, order = Rehearsal(submits=False), new_order()

    async with serve(told.steps):
        await order.ask("submit")
        await order.ended()
        told.submits = True
        await order.ask("submit")
        await order.ask("cancel")
        await order.ended()

    assert told.calls == ["submit refused", "submit", "cancel"]


async def test_a_long_history_goes_on_in_a_new_run(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(status=OrderStatus.CONFIRMED), new_order(most_updates=3)

    async with serve(told.steps):
        await order.ask("receive")
        first = (await order.handle.describe()).run_id
        for _ in range(4):
            await order.ask("receive")

        async def renewed() -> bool:
            return (await order.handle.describe()).run_id != first

        await eventually(renewed)
        await order.ask("cancel")
        await order.ended()

    assert told.calls == ["receive"] * 5 + ["cancel"]


async def test_a_delivery_outlives_the_orders_process(
    serve: Serve, new_order: Callable[..., Order], client: Client
) -> None:
    leave, operation_id = threading.Event(), new_id()
    told, order = Rehearsal(status=OrderStatus.CONFIRMED, leave=leave), new_order()

    async with serve(told.steps):
        await order.bring("receive", operation_id)
        await eventually(lambda: told.busy == 1)
        await order.handle.terminate("the engine lost it")
        leave.set()
        child = client.get_workflow_handle(f"receipt/{operation_id}")
        await asyncio.wait_for(child.result(), 20)
        found = await child.describe()

    assert found.status == WorkflowExecutionStatus.COMPLETED
    assert told.calls == ["receive"]


async def test_an_order_that_was_deleted_has_no_process(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(status=None, submits=False), new_order()

    async with serve(told.steps):
        await order.ask("submit")
        await order.ended()

    assert told.calls == ["submit refused"]


async def test_a_history_counts_few_events(serve: Serve, new_order: Callable[..., Order]) -> None:
    told, order = Rehearsal(), new_order()

    async with serve(told.steps):
        for verb in ("submit", "confirm", "receive", "receive", "cancel"):
            await order.ask(verb)
        await order.ended()
        history = await order.handle.fetch_history()

    # 5 Updates of at most 17 events (a delivery: accepted, completed, a child, its word, three tasks), run and look.
    assert len(history.events) <= 90


async def test_the_whole_process_on_the_real_steps(
    serve: Serve,
    engine: Engine,
    client: Client,
    database: Database,
    tenant: Agency,
    owner: Caller,
    buyer: Caller,
    finance: Caller,
) -> None:
    buying = buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)
    order = buying.draft()
    steps = (Purchasing(database), Receiving(database), Payables(database))
    methods = [getattr(step, name) for step in steps for name in dir(step) if not name.startswith("_")]

    async def asked(verb: str, body: Any = None) -> Any:
        operation = (await asyncio.to_thread(buying.ask, order["id"], verb, body)).json()
        await delivered(engine, database, tenant.id, UUID(operation["id"]))
        await eventually(lambda: buyer.read(f"/api/operations/{operation['id']}")["status"] == "succeeded")
        return buyer.read(f"/api/operations/{operation['id']}")

    async with serve(methods):
        await asked("submit")
        await asked("confirm")
        await asked("receive", a_note(order, "Parkett/A/1-4"))
        await asked("receive", a_note(order, "Parkett/A/5-10", reference="LS-2"))
        await asyncio.wait_for(client.get_workflow_handle(f"purchase-order/{order['id']}").result(), 20)
        paid = await asked("pay", {"method": "BANK_TRANSFER", "reference": "SEPA-1"})
        history = await client.get_workflow_handle(f"purchase-order/{order['id']}").fetch_history()

    found = buying.order(order["id"])
    assert (found["status"], found["bill_status"], len(found["receipts"])) == ("COMPLETED", "PAID", 2)
    assert paid["result"]["amount"]["amount"] == "200.00"
    assert all(b"theater" not in event.SerializeToString().lower() for event in history.events)


async def delivered(engine: Engine, database: Database, tenant_id: UUID, operation_id: UUID) -> None:
    """Bring the operation's outbox row to its process, as the dispatcher would."""
    with database.transaction(tenant_id) as tx:
        (row,) = tx.dicts("SELECT kind, payload FROM outbox WHERE key LIKE %s", (f"%{operation_id}",))
    payload = row["payload"]
    if row["kind"] == "START":
        await engine.start(payload["process"], process_id=payload["process_id"], argument=payload["argument"])
    else:
        await engine.update(
            payload["process"],
            process_id=payload["process_id"],
            argument=payload["argument"],
            verb=payload["verb"],
            operation_id=operation_id,
        )
