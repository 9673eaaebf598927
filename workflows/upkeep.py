"""The upkeep process: every minute it closes what is over and, at night, looks back on all of it; a Schedule starts it."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.upkeep import Round, Swept, UpkeepActivities
    from workflows import options

# A round waits for an event that ends before the next round begins, so that its end is dealt with when it comes.
LOOKS_AHEAD = timedelta(seconds=50)
# The database's clock decides; the timer may be a moment early.
MARGIN = timedelta(seconds=0.2)


@workflow.defn(name="Upkeep")
class UpkeepProcess:
    """One round."""

    @workflow.run
    async def run(self, asked: Round) -> Swept:
        """Close what is over now, and what will be before the next round; forget what is past its time."""
        until = workflow.now() + LOOKS_AHEAD
        if asked.nightly:
            await workflow.execute_activity_method(UpkeepActivities.close_again, **options.BEATING_WRITE)
        await workflow.execute_activity_method(UpkeepActivities.forget, **options.BEATING_WRITE)
        swept = await self._close()
        while (pause := _pause_before_next(swept, until=until)) is not None:
            await asyncio.sleep(pause.total_seconds())
            swept = await self._close()
        return swept

    async def _close(self) -> Swept:
        return await workflow.execute_activity_method(UpkeepActivities.close_ended_events, **options.BEATING_WRITE)


def _pause_before_next(swept: Swept, *, until: datetime) -> timedelta | None:
    """How long to wait before closing more; None when that is for the next round."""
    if swept.more:
        return timedelta(0)
    left = swept.next_end_in
    return None if left is None or workflow.now() + left > until else left + MARGIN
