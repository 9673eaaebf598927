"""The upkeep process: a round closes what is over, waits for what ends before the next, and the clock starts the rounds."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client, ScheduleOverlapPolicy

from activities.upkeep import Round, Swept
from db.ids import new_id
from tests.makers.house_process import NOTHING, Rounds
from tests.workflows.conftest import Serve
from workflows.schedules import ensure_schedules
from workflows.upkeep import UpkeepProcess


async def a_round(serve: Serve, client: Client, told: Rounds, *, nightly: bool = False) -> Swept:
    async with serve([told.close_ended_events, told.close_again, told.forget]):
        result: Swept = await client.execute_workflow(
            UpkeepProcess.run, Round(nightly=nightly), id=f"upkeep/{new_id()}", task_queue="core"
        )
    return result


async def test_a_round_forgets_and_closes(serve: Serve, client: Client) -> None:
    told = Rounds()

    await a_round(serve, client, told)

    assert told.calls == ["forget", "close"]


async def test_a_night_looks_back_as_well(serve: Serve, client: Client) -> None:
    told = Rounds()

    await a_round(serve, client, told, nightly=True)

    assert told.calls == ["close again", "forget", "close"]


async def test_a_round_goes_on_while_there_is_more(serve: Serve, client: Client) -> None:
    more = Swept(events_closed=100, seats_written_off=1000, more=True)
    told = Rounds([more, more, NOTHING])

    await a_round(serve, client, told)

    assert told.calls == ["forget", "close", "close", "close"]


async def test_a_round_waits_for_an_event_that_ends_before_the_next(serve: Serve, client: Client) -> None:
    soon = Swept(events_closed=0, seats_written_off=0, next_end_in=timedelta(seconds=0.5))
    last = Swept(events_closed=1, seats_written_off=10)
    told = Rounds([soon, last])

    assert await a_round(serve, client, told) == last

    assert told.calls == ["forget", "close", "close"]


async def test_an_event_that_ends_after_the_next_round_has_begun_is_left_to_it(serve: Serve, client: Client) -> None:
    later = Swept(events_closed=0, seats_written_off=0, next_end_in=timedelta(seconds=55))
    told = Rounds([later])

    await a_round(serve, client, told)

    assert told.calls == ["forget", "close"]


async def test_schedules_are_made_once_and_stay_as_people_left_them(client: Client) -> None:
    await ensure_schedules(client)
    handle = client.get_schedule_handle("upkeep")
    await handle.pause(note="the books are being audited")

    await ensure_schedules(client)

    described = await handle.describe()
    assert described.schedule.state.paused
    assert described.schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
    assert described.schedule.spec.intervals[0].every == timedelta(minutes=1)
    await handle.delete()
    await client.get_schedule_handle("upkeep-nightly").delete()


async def test_a_night_that_was_missed_is_made_up_for_by_day(client: Client) -> None:
    await ensure_schedules(client)
    handles = [client.get_schedule_handle(name) for name in ("upkeep", "upkeep-nightly")]

    windows = [(await handle.describe()).schedule.policy.catchup_window for handle in handles]

    assert windows == [timedelta(minutes=1), timedelta(hours=24)]
    for handle in handles:
        await handle.delete()
