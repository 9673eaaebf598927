"""A document's process: one rendering, tried until the outage that stops it is over."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.documents import PROCESS, DocumentActivities, DocumentStep, Made
    from workflows import options


@workflow.defn(name=PROCESS)
class DocumentProcess:
    """`document/{id}`: ends with where the document lies, or with why it cannot be made."""

    @workflow.run
    async def run(self, at: DocumentStep) -> Made:
        """Render it on the documents queue."""
        return await workflow.execute_activity_method(
            DocumentActivities.render, at, **options.RENDER, priority=options.FIRST if at.urgent else options.LATER
        )
