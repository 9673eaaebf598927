"""The upkeep process: every minute it closes what is over and, at night, looks back once more; a Schedule starts it."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from activities.upkeep import Round, Swept, UpkeepActivities
    from workflows import options

# A round waits for an event that ends before the next round begins, so that its end is dealt with when it comes.
LOOKS_AHEAD = 50.0
# The database's clock decides; the timer may be a moment early.
MARGIN = 0.2


@workflow.defn(name="Upkeep", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UpkeepProcess:
    """One round."""

    @workflow.run
    async def run(self, asked: Round) -> Swept:
        """Close what is over now, and what will be before the next round; forget what is past its time."""
        began = workflow.time()
        if asked.nightly:
            await workflow.execute_activity_method(UpkeepActivities.close_again, **options.LONG_WRITE)
        await workflow.execute_activity_method(UpkeepActivities.forget, **options.LONG_WRITE)
        swept = await self._close()
        while swept.more or self._next_is_near(swept, began):
            await asyncio.sleep(0 if swept.more else (swept.seconds_to_next_end or 0) + MARGIN)
            swept = await self._close()
        return swept

    def _next_is_near(self, swept: Swept, began: float) -> bool:
        left = swept.seconds_to_next_end
        return left is not None and workflow.time() - began + left < LOOKS_AHEAD

    async def _close(self) -> Swept:
        return await workflow.execute_activity_method(UpkeepActivities.close_ended_events, **options.LONG_WRITE)
