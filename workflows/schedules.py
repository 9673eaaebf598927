"""The Schedules: what Temporal starts by the clock, made the same way by every start of the house."""

from datetime import timedelta

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

with workflow.unsafe.imports_passed_through():
    from activities.upkeep import Round
    from workflows.options import CORE
    from workflows.upkeep import UpkeepProcess

EVERY_MINUTE = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
NIGHTLY = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(2)], minute=[ScheduleRange(30)])])

# After an outage one round does what all the missed ones would have done: the next minute's, and the night's on that day.
A_MINUTE_LATE, A_DAY_LATE = timedelta(minutes=1), timedelta(hours=24)


async def ensure_schedules(client: Client) -> None:
    """Make the Schedules, or bring those there are to this release's shape. Raises RPCError while Temporal is away."""
    await _ensure(client, "upkeep", spec=EVERY_MINUTE, late=A_MINUTE_LATE, asked=Round())
    await _ensure(client, "upkeep-nightly", spec=NIGHTLY, late=A_DAY_LATE, asked=Round(nightly=True))


async def _ensure(client: Client, schedule_id: str, *, spec: ScheduleSpec, late: timedelta, asked: Round) -> None:
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(UpkeepProcess.run, asked, id=schedule_id, task_queue=CORE),
        spec=spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=late),
    )
    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule_id).update(lambda known: _changed(known, schedule))


def _changed(known: ScheduleUpdateInput, schedule: Schedule) -> ScheduleUpdate:
    """The new shape; whoever paused the Schedule keeps it paused."""
    schedule.state = known.description.schedule.state
    return ScheduleUpdate(schedule=schedule)
