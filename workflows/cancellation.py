"""The process of a cancellation (`cancellation/{id}`): tickets given up at once, then the money sent back."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.cancelling import CancellationStep, CancellingActivities
    from workflows.options import QUICK_LOCAL
    from workflows.refunding import give_back


@workflow.defn(name="Cancellation")
class CancellationProcess:
    """Execute the quote in one transaction, then see its refund through."""

    @workflow.run
    async def run(self, at: CancellationStep) -> None:
        """From the operation to the settled refund."""
        executed = await workflow.execute_local_activity_method(CancellingActivities.execute, at, **QUICK_LOCAL)
        await give_back(at.tenant_id, refund_id=executed.refund_id)
