"""The process of papers that nobody waits for: an agency's of about a second, made by one step after the other."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.documents import PAPERS, DocumentActivities, PapersStep
    from workflows import options


@workflow.defn(name=PAPERS)
class PapersProcess:
    """`papers/{of which}`: ends when each of them is stored, or its row says why it cannot be made."""

    @workflow.run
    async def run(self, at: PapersStep) -> None:
        """Print on the documents queue; between two stretches whoever waits for a paper comes first.

        What has been begun goes before what came later, or the elders of a long queue would be the last to be whole.
        """
        turn = options.LATER
        while at.document_ids:
            at = await workflow.execute_activity_method(
                DocumentActivities.render_each, at, **options.RENDER, priority=turn
            )
            turn = options.NEXT
