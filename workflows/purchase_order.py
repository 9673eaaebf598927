"""The process of an order (`purchase-order/{id}`): from its submission until every line is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.purchasing import PROCESS, OrderRef, OrderStep, Position, Purchasing, Reminder
    from domain.purchasing import OrderStatus
    from workflows.asking import Ask
    from workflows.options import QUICK_WRITE
    from workflows.supplier_receipt import ReceiptProcess, Recorded, SupplierReceiptProcess

CLOSED = (None, OrderStatus.COMPLETED, OrderStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class OrderProcess:
    """What the process is told when it begins, whatever state the order is in by then.

    `most_updates` bounds one run's history; the next run goes on from the order's facts.
    """

    tenant_id: UUID
    order_id: UUID
    reminder_after: timedelta = timedelta(days=3)
    lapse_after: timedelta = timedelta(days=14)
    most_updates: int = 500


@workflow.defn(name=PROCESS)
class PurchaseOrderProcess:
    """Holds the order's position, never its lines. One thing happens to an order at a time.

    Its Updates have no validators: whatever is asked has an operation that must end, and only an activity can end it.
    """

    @workflow.init
    def __init__(self, order: OrderProcess) -> None:
        self._order = order
        self._position = Position(status=OrderStatus.DRAFT)
        self._recorded: dict[UUID, Position] = {}
        self._turn = asyncio.Lock()
        self._asked = 0

    @workflow.run
    async def run(self, order: OrderProcess) -> None:
        """Remind, lapse and listen until the order is closed; begun again for an order in any state, it goes on there."""
        async with self._turn:
            await self._do(Purchasing.position, self._ref())
        while not self._may_leave():
            if self._position.status == OrderStatus.PENDING:
                await self._await_answer()
            else:
                await workflow.wait_condition(lambda: self._may_leave() or self._is_pending())
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._is_over():
            workflow.continue_as_new(order)

    @workflow.update
    async def submit(self, ask: Ask) -> None:
        """Send the order to its supplier."""
        await self._carry_out(Purchasing.submit, ask)

    @workflow.update
    async def confirm(self, ask: Ask) -> None:
        """Note the supplier's answer."""
        await self._carry_out(Purchasing.confirm, ask)

    @workflow.update
    async def cancel(self, ask: Ask) -> None:
        """Give up what has not been delivered."""
        await self._carry_out(Purchasing.cancel, ask)

    @workflow.update
    async def receive(self, ask: Ask) -> None:
        """Take a delivery in, by a process of its own that outlives this one if need be."""
        self._asked += 1
        async with self._turn:
            delivery = ReceiptProcess(
                tenant_id=self._order.tenant_id, order_id=self._order.order_id, operation_id=ask.operation_id
            )
            child = await workflow.start_child_workflow(
                SupplierReceiptProcess.run,
                delivery,
                id=f"receipt/{ask.operation_id}",
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
            await workflow.wait_condition(lambda: ask.operation_id in self._recorded or child.done())
            recorded = self._recorded.pop(ask.operation_id, None)
            if recorded is None:
                await self._do(Purchasing.position, self._ref())
            else:
                self._position = recorded

    @workflow.signal
    def recorded(self, word: Recorded) -> None:
        """A delivery's process has done what it can do to the order."""
        self._recorded[word.operation_id] = word.position

    async def _carry_out(self, step: Callable[[Purchasing, OrderStep], Position], ask: Ask) -> None:
        self._asked += 1
        async with self._turn:
            known = self._order
            await self._do(
                step, OrderStep(tenant_id=known.tenant_id, order_id=known.order_id, operation_id=ask.operation_id)
            )

    async def _await_answer(self) -> None:
        """Until the supplier has answered, or it is time for the next reminder or for letting the order lapse."""
        number, due = self._next_reminder()
        lapses_at = self._submitted_at() + self._order.lapse_after
        try:
            await workflow.wait_condition(
                lambda: self._may_leave() or not self._is_pending(),
                timeout=max(min(due, lapses_at) - workflow.now(), timedelta(0)),
                timeout_summary="supplier's answer",
            )
        except TimeoutError:
            async with self._turn:
                if self._is_pending():
                    await (self._lapse() if lapses_at <= due else self._remind(number))

    async def _lapse(self) -> None:
        await self._do(Purchasing.lapse, self._ref())

    async def _remind(self, number: int) -> None:
        known = self._order
        await self._do(Purchasing.remind, Reminder(tenant_id=known.tenant_id, order_id=known.order_id, number=number))

    def _next_reminder(self) -> tuple[int, datetime]:
        """The number of the first reminder that is not overdue, and when it is due."""
        since = workflow.now() - self._submitted_at()
        number = int(since / self._order.reminder_after) + 1
        return number, self._submitted_at() + self._order.reminder_after * number

    async def _do(self, step: Callable[..., Position], argument: Any) -> None:
        self._position = await workflow.execute_activity_method(step, argument, **QUICK_WRITE)

    def _ref(self) -> OrderRef:
        return OrderRef(tenant_id=self._order.tenant_id, order_id=self._order.order_id)

    def _submitted_at(self) -> datetime:
        assert self._position.submitted_at is not None, "a pending order has been submitted"
        return self._position.submitted_at

    def _is_pending(self) -> bool:
        return self._position.status == OrderStatus.PENDING

    def _is_over(self) -> bool:
        """Closed, or a draft that nothing is happening to."""
        return self._position.status in (*CLOSED, OrderStatus.DRAFT)

    def _may_leave(self) -> bool:
        """Whether this run may end: the order is closed, the draft was not sent after all, or the history grows long."""
        if self._position.status == OrderStatus.DRAFT:
            return workflow.all_handlers_finished()
        return (
            self._position.status in CLOSED
            or workflow.info().is_continue_as_new_suggested()
            or self._asked >= self._order.most_updates
        )
