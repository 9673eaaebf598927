"""Records what a replay must still be able to follow: `python -m tests.replays.record`, one history per process and ending.

A history that is there already is never written again: it stands for processes that were begun under older code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.client import Client

from db.ids import new_id
from domain.purchasing import OrderStatus
from gateways.temporal import Engine
from tests.makers.engine import a_server, serving, temporal_program
from tests.makers.order_process import Order, Rehearsal, an_order_process

HISTORIES = Path(__file__).parent / "histories"

Ending = Callable[[Engine, Client, Rehearsal], Awaitable[str]]
"""Runs a process to its end; returns its id."""


async def completed(engine: Engine, client: Client, told: Rehearsal) -> str:
    """Submitted, confirmed, delivered in two parts."""
    order = an_order_process(engine, client)
    for verb in ("submit", "confirm", "receive"):
        await order.ask(verb)
    told.delivery_leads_to = OrderStatus.COMPLETED
    await order.ask("receive")
    return await over(order)


async def cancelled(engine: Engine, client: Client, told: Rehearsal) -> str:
    """Submitted, confirmed, cancelled."""
    order = an_order_process(engine, client)
    for verb in ("submit", "confirm", "cancel"):
        await order.ask(verb)
    return await over(order)


async def lapsed(engine: Engine, client: Client, told: Rehearsal) -> str:
    """Submitted, reminded of, never answered."""
    order = an_order_process(engine, client, reminder_after="PT2S", lapse_after="PT5S")
    await order.ask("submit")
    return await over(order)


async def not_submitted(engine: Engine, client: Client, told: Rehearsal) -> str:
    """A submission that was refused."""
    told.submits = False
    order = an_order_process(engine, client)
    await order.ask("submit")
    return await over(order)


async def taken_in(engine: Engine, client: Client, told: Rehearsal) -> str:
    """A delivery."""
    told.status = OrderStatus.CONFIRMED
    operation_id = await an_order_process(engine, client).ask("receive")
    return f"receipt/{operation_id}"


async def paid(engine: Engine, client: Client, told: Rehearsal) -> str:
    """A payment to a supplier."""
    operation_id = new_id()
    process_id = f"supplier-payment/{operation_id}"
    argument = {"tenant_id": str(new_id()), "operation_id": str(operation_id)}
    await engine.start("SupplierPayment", process_id=process_id, argument=argument)
    return process_id


async def over(order: Order) -> str:
    """Wait for the order's process to end."""
    await order.ended()
    return order.process_id


ENDINGS: dict[str, Ending] = {
    "PurchaseOrder/completed": completed,
    "PurchaseOrder/cancelled": cancelled,
    "PurchaseOrder/lapsed": lapsed,
    "PurchaseOrder/not_submitted": not_submitted,
    "SupplierReceipt/taken_in": taken_in,
    "SupplierPayment/paid": paid,
}


async def record() -> None:
    """Record what is missing."""
    async with a_server(temporal_program()) as client:
        for name, ending in ENDINGS.items():
            target = HISTORIES / f"{name}.json"
            if target.exists():
                continue
            told = Rehearsal()
            async with serving(client, told.steps):
                handle = client.get_workflow_handle(await ending(Engine(client), client, told))
                await handle.result()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((await handle.fetch_history()).to_json() + "\n")


if __name__ == "__main__":
    asyncio.run(record())
