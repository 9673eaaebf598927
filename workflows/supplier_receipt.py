"""The process of a delivery (`receipt/{id}`): take it in, tell the order's process; its papers follow by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.purchasing import Position
    from activities.receiving import DeliveryStep, Receiving
    from workflows.options import BEATING_WRITE


@dataclass(frozen=True, kw_only=True)
class ReceiptProcess:
    """A delivery, as its operation describes it."""

    tenant_id: UUID
    order_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A delivery's operation has ended; the order stands here."""

    operation_id: UUID
    position: Position


@workflow.defn(name="SupplierReceipt")
class SupplierReceiptProcess:
    """The delivery's one transaction also asks for the receipt's paper and its letters, so nothing is left to undo."""

    @workflow.run
    async def run(self, delivery: ReceiptProcess) -> None:
        """Take the delivery in, or find it refused or taken in before."""
        step = DeliveryStep(
            tenant_id=delivery.tenant_id, order_id=delivery.order_id, operation_id=delivery.operation_id
        )
        position = await workflow.execute_activity_method(Receiving.record, step, **BEATING_WRITE)
        parent = workflow.info().parent
        if parent is not None:
            await self._tell(parent.workflow_id, Recorded(operation_id=delivery.operation_id, position=position))

    async def _tell(self, parent_id: str, word: Recorded) -> None:
        """An order's process that is over has no need to know."""
        try:
            await workflow.get_external_workflow_handle(parent_id).signal("recorded", word)
        except ApplicationError as gone:
            workflow.logger.info("the order's process is over", extra={"cause": str(gone)})
