"""The process of a delivery: one step, tried until it is done; the order's process hears of it when there is one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client

from activities.purchasing import Position
from activities.receiving import DeliveryStep
from db.ids import new_id
from domain.purchasing import OrderStatus
from gateways.temporal import QUEUE
from tests.workflows.conftest import Serve
from workflows.supplier_receipt import ReceiptProcess, SupplierReceiptProcess


@dataclass
class Unlucky:
    """A step that fails some times, as a database that is away does."""

    failures: int
    tries: list[float] = field(default_factory=list)

    @activity.defn(name="receiving.record")
    def record(self, step: DeliveryStep) -> Position:
        self.tries.append(time.monotonic())
        if len(self.tries) <= self.failures:
            raise ConnectionError("the database is away")
        return Position(status=OrderStatus.COMPLETED)


def a_delivery() -> ReceiptProcess:
    return ReceiptProcess(tenant_id=new_id(), order_id=new_id(), operation_id=new_id())


async def taken_in(client: Client, delivery: ReceiptProcess) -> None:
    running = client.execute_workflow(
        SupplierReceiptProcess.run, delivery, id=f"receipt/{delivery.operation_id}", task_queue=QUEUE
    )
    await asyncio.wait_for(running, 20)


async def test_an_outage_is_waited_out(serve: Serve, client: Client) -> None:
    told = Unlucky(failures=3)

    async with serve([told.record]):
        await taken_in(client, a_delivery())

    assert len(told.tries) == 4


async def test_a_delivery_needs_no_order_process_to_hear_of_it(serve: Serve, client: Client) -> None:
    told = Unlucky(failures=0)

    async with serve([told.record]):
        await taken_in(client, a_delivery())

    assert len(told.tries) == 1
