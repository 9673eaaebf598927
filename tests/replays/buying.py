"""The endings of the buying processes."""

from __future__ import annotations

from db.ids import new_id
from domain.purchasing import OrderStatus
from tests.makers.order_process import Order, an_order_process
from tests.replays.stage import Ending, Stage


async def completed(stage: Stage) -> str:
    """Submitted, confirmed, delivered in two parts."""
    order = an_order_process(stage.engine, stage.client)
    for verb in ("submit", "confirm", "receive"):
        await order.ask(verb)
    stage.buying.delivery_leads_to = OrderStatus.COMPLETED
    await order.ask("receive")
    return await over(order)


async def cancelled(stage: Stage) -> str:
    """Submitted, confirmed, cancelled."""
    order = an_order_process(stage.engine, stage.client)
    for verb in ("submit", "confirm", "cancel"):
        await order.ask(verb)
    return await over(order)


async def lapsed(stage: Stage) -> str:
    """Submitted, reminded of, never answered."""
    order = an_order_process(stage.engine, stage.client, reminder_after="PT2S", lapse_after="PT5S")
    await order.ask("submit")
    return await over(order)


async def not_submitted(stage: Stage) -> str:
    """A submission that was refused."""
    stage.buying.submits = False
    order = an_order_process(stage.engine, stage.client)
    await order.ask("submit")
    return await over(order)


async def taken_in(stage: Stage) -> str:
    """A delivery."""
    stage.buying.status = OrderStatus.CONFIRMED
    operation_id = await an_order_process(stage.engine, stage.client).ask("receive")
    return f"receipt/{operation_id}"


async def paid(stage: Stage) -> str:
    """A payment to a supplier."""
    operation_id = new_id()
    process_id = f"supplier-payment/{operation_id}"
    argument = {"tenant_id": str(new_id()), "operation_id": str(operation_id)}
    await stage.engine.start("SupplierPayment", process_id=process_id, argument=argument)
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
