"""An order's process on its own: steps that only remember, and the process asked as the dispatcher asks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.payables import PaymentStep
from activities.purchasing import OrderRef, OrderStep, Position, Reminder
from activities.receiving import DeliveryStep
from db.ids import new_id
from domain.purchasing import OrderStatus
from gateways.temporal import Engine

AN_HOUR = "PT3600S"
LONGEST_WAIT = 30.0


@dataclass
class Rehearsal:
    """Steps that remember what was asked of them and do to the order what they are told to.

    A step takes `slow` seconds, and waits for its `leave` where a test has taken that.
    """

    status: OrderStatus | None = OrderStatus.DRAFT
    submitted_at: datetime | None = None
    calls: list[str] = field(default_factory=list)
    busy: int = 0
    most_busy: int = 0
    slow: float = 0.0
    leave: threading.Event | None = None
    delivery_leads_to: OrderStatus = OrderStatus.PARTIALLY_RECEIVED
    submits: bool = True

    def _stands(self) -> Position:
        return Position(status=self.status, submitted_at=self.submitted_at)

    def _do(self, name: str, to: OrderStatus | None) -> Position:
        self.calls.append(name)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        time.sleep(self.slow)
        if self.leave is not None:
            self.leave.wait(LONGEST_WAIT)
        self.busy -= 1
        self.status = to
        return self._stands()

    @activity.defn(name="purchasing.position")
    def position(self, at: OrderRef) -> Position:
        return self._stands()

    @activity.defn(name="purchasing.submit")
    def submit(self, step: OrderStep) -> Position:
        if not self.submits:
            return self._do("submit refused", self.status)
        self.submitted_at = datetime.now(UTC)
        return self._do("submit", OrderStatus.PENDING)

    @activity.defn(name="purchasing.confirm")
    def confirm(self, step: OrderStep) -> Position:
        return self._do("confirm", OrderStatus.CONFIRMED)

    @activity.defn(name="purchasing.cancel")
    def cancel(self, step: OrderStep) -> Position:
        return self._do("cancel", OrderStatus.CANCELLED)

    @activity.defn(name="purchasing.remind")
    def remind(self, reminder: Reminder) -> Position:
        return self._do(f"remind {reminder.number}", self.status)

    @activity.defn(name="purchasing.lapse")
    def lapse(self, at: OrderRef) -> Position:
        return self._do("lapse", OrderStatus.CANCELLED)

    @activity.defn(name="receiving.record")
    def record(self, step: DeliveryStep) -> Position:
        return self._do("receive", self.delivery_leads_to)

    @activity.defn(name="payables.pay")
    def pay(self, step: PaymentStep) -> None:
        self.calls.append("pay")

    @property
    def steps(self) -> list[Callable[..., Any]]:
        """What a worker offers."""
        order: list[Callable[..., Any]] = [
            self.position,
            self.submit,
            self.confirm,
            self.cancel,
            self.remind,
            self.lapse,
        ]
        return [*order, self.record, self.pay]


@dataclass(frozen=True)
class Order:
    """An order's process, asked as the dispatcher asks."""

    engine: Engine
    client: Client
    argument: dict[str, Any]

    @property
    def process_id(self) -> str:
        return f"purchase-order/{self.argument['order_id']}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.process_id)

    async def ask(self, verb: str) -> UUID:
        """Bring an operation to the process and wait for its handler's end."""
        operation_id = new_id()
        await self.bring(verb, operation_id)
        await self.handle.get_update_handle(str(operation_id)).result()
        return operation_id

    async def bring(self, verb: str, operation_id: UUID) -> None:
        await self.engine.update(
            "PurchaseOrder",
            process_id=self.process_id,
            argument=self.argument,
            verb=verb,
            operation_id=operation_id,
        )

    async def ended(self) -> None:
        await asyncio.wait_for(self.handle.result(), 20)


def an_order_process(engine: Engine, client: Client, **more: Any) -> Order:
    """A process of a new order, which nobody has asked for anything yet; `more` are its durations."""
    argument = {"tenant_id": str(new_id()), "order_id": str(new_id())}
    return Order(engine, client, {**argument, "reminder_after": AN_HOUR, "lapse_after": AN_HOUR, **more})
