"""Giving money back, attempt by attempt: the part that cancellations and late money share."""

from uuid import UUID

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.refunds import RefundActivities, RefundStep, RefundWord
    from workflows.options import PROVIDER_CALL, QUICK_LOCAL, UNTIL_DECIDED


async def give_back(tenant_id: UUID, *, refund_id: UUID | None) -> None:
    """Send a refund; a refused attempt is followed by the next, an unanswered one is looked up, never sent anew."""
    while refund_id is not None:
        step = RefundStep(tenant_id=tenant_id, refund_id=refund_id)
        await workflow.execute_local_activity_method(RefundActivities.submit, step, **QUICK_LOCAL)
        word = await workflow.execute_activity_method(RefundActivities.send, step, **PROVIDER_CALL)
        if not word.final:
            word = await workflow.execute_activity_method(RefundActivities.find_out, step, **UNTIL_DECIDED)
        outcome = RefundWord(tenant_id=tenant_id, refund_id=refund_id, word=word)
        refund_id = (
            await workflow.execute_local_activity_method(RefundActivities.record, outcome, **QUICK_LOCAL)
        ).refund_id
