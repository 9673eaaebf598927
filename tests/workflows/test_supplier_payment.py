"""The process of a payment to a supplier: one step, tried until it is done, once per operation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client

from activities.payables import PaymentStep
from db.ids import new_id
from gateways.temporal import Engine
from tests.workflows.conftest import Serve


@dataclass
class Till:
    """A step that fails the first time."""

    tries: list[PaymentStep] = field(default_factory=list)

    @activity.defn(name="payables.pay")
    def pay(self, step: PaymentStep) -> None:
        self.tries.append(step)
        if len(self.tries) == 1:
            raise ConnectionError("the database is away")


async def test_a_payment_is_started_once_and_tried_until_done(serve: Serve, client: Client, engine: Engine) -> None:
    told, operation_id = Till(), new_id()
    process_id = f"supplier-payment/{operation_id}"
    argument = {"tenant_id": str(new_id()), "operation_id": str(operation_id)}

    async with serve([told.pay]):
        for _ in range(2):
            await engine.start("SupplierPayment", process_id=process_id, argument=argument)
            await asyncio.wait_for(client.get_workflow_handle(process_id).result(), 20)

    assert [step.operation_id for step in told.tries] == [operation_id] * 2
