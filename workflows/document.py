"""A document's process: one rendering, tried until the outage that stops it is over."""

from temporalio import workflow
from temporalio.common import Priority

with workflow.unsafe.imports_passed_through():
    from activities.documents import PROCESS, DocumentActivities, DocumentStep, Made
    from workflows import options

# Hundreds of papers may wait for a mail that nobody sits in front of.
FIRST, LATER = Priority(priority_key=1), Priority(priority_key=4)


@workflow.defn(name=PROCESS)
class DocumentProcess:
    """`document/{id}`: ends with where the document lies, or with why it cannot be made."""

    @workflow.run
    async def run(self, at: DocumentStep) -> Made:
        """Render it on the documents queue."""
        return await workflow.execute_activity_method(
            DocumentActivities.render, at, **options.RENDER, priority=FIRST if at.urgent else LATER
        )
