"""How many events the engine keeps of a booking and of an order, counted in the histories of a running house."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio.client import Client

from bench.row import Figure
from stand.agency import Agency
from stand.running import Stand

T = TypeVar("T")
Asked = Callable[[Client], Coroutine[Any, Any, T]]

WINDOW = "PT2S"
PATIENCE = 60.0
LARGE, SMALL, STEP = 50_000, 1_000, 5_000


def paid_events(stand: Stand, agency: Agency) -> int:
    """Events of a booking that was reserved, found by its process, and paid."""
    booking = _reserved(agency)
    process_id = f"booking/{booking['id']}"
    # A person takes longer to find the card than we take to tell the engine.
    _of(stand, lambda client: _begun(client, process_id))
    payment = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": "tok_ok"}
    agency.caller.does("/api/payments/process", payment, key=agency.named("payment"))
    return _of(stand, lambda client: _kept(client, process_id))


def abandoned_events(stand: Stand, agency: Agency) -> int:
    """Events of a booking that nobody paid; its agency holds baskets for two seconds."""
    agency.caller.put("/api/settings", {"reservation_window": WINDOW})
    try:
        booking = _reserved(agency)
    finally:
        agency.caller.put("/api/settings", {"reservation_window": None})
    return _of(stand, lambda client: _kept(client, f"booking/{booking['id']}"))


def order_events(stand: Stand, agency: Agency) -> Figure:
    """What an order's size adds to its histories, for every 5,000 seats; and what one delivery more costs."""
    small = _delivered(stand, agency, parts=1, seats=SMALL)
    large = _delivered(stand, agency, parts=1, seats=LARGE)
    twice = _delivered(stand, agency, parts=2, seats=SMALL)
    notes = {"events_of_one_delivery": float(large), "events_of_one_delivery_more": float(twice - small)}
    return Figure(value=(large - small) / ((LARGE - SMALL) / STEP), notes=notes)


def _reserved(agency: Agency) -> Any:
    event_id = agency.on_sale(seats=2)
    basket = {"customer_id": agency.customer(), "event_id": event_id, "seats": agency.seats(event_id)}
    return agency.post("/api/bookings", basket)


def _delivered(stand: Stand, agency: Agency, *, parts: int, seats: int) -> int:
    """Events of an order's process and of its deliveries' processes, once all of its seats have come in so many parts."""
    event_id = agency.event(agency.hall(["Stalls"], seats=seats))
    order = agency.order(agency.supplier(), event_id, quantity=seats)
    for verb in ("submit", "confirm"):
        agency.does(order, verb)
    received = [
        agency.receives(order, "Stalls", quantity=seats // parts, reference=f"LS-{part}") for part in range(parts)
    ]
    processes = [f"purchase-order/{order['id']}", *(f"receipt/{operation['id']}" for operation in received)]
    return sum(_of(stand, lambda client, name=name: _kept(client, name)) for name in processes)  # type: ignore[misc]


async def _begun(client: Client, process_id: str) -> None:
    running = f"WorkflowId = '{process_id}'"
    deadline = time.monotonic() + PATIENCE
    while not [one async for one in client.list_workflows(running)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process_id} was never begun")
        await asyncio.sleep(0.1)


async def _kept(client: Client, process_id: str) -> int:
    """Wait for the process to end; its events."""
    await _begun(client, process_id)
    handle = client.get_workflow_handle(process_id)
    await asyncio.wait_for(handle.result(), PATIENCE)
    return len((await handle.fetch_history()).events)


def _of(stand: Stand, ask: Asked[T]) -> T:
    async def asked() -> T:
        return await ask(await Client.connect(stand.addresses.temporal_address))

    return asyncio.run(asked())
