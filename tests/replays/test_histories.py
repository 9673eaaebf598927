"""Processes that were begun under older code can still go on under this one: every recorded history is followed again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.states import Refused
from tests.replays.record import ENDINGS
from workflows.registry import PROCESSES

HISTORIES = Path(__file__).parent / "histories"
RECORDED = sorted(path.relative_to(HISTORIES).with_suffix("").as_posix() for path in HISTORIES.glob("*/*.json"))


def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text())


def replayer(*processes: type) -> Replayer:
    return Replayer(
        workflows=processes,
        data_converter=pydantic_data_converter,
        workflow_failure_exception_types=[Refused],
    )


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_history_is_followed_to_its_end(name: str) -> None:
    await replayer(*PROCESSES).replay_workflow(history(name))


def test_every_process_has_a_history_and_every_history_an_ending_that_makes_it() -> None:
    processes = {definition(process) for process in PROCESSES}

    assert {name.partition("/")[0] for name in RECORDED} == processes
    assert set(RECORDED) == set(ENDINGS)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_history_goes_to_the_end(name: str) -> None:
    last = history(name).events[-1]

    assert last.event_type in (
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    )


def definition(process: type) -> str:
    """The name under which the engine knows a process."""
    found = workflow._Definition.must_from_class(process).name
    assert found is not None
    return found


@workflow.defn(name="SupplierPayment", sandboxed=False)
class HastyPayment:
    """What a careless change could make of a payment's process."""

    @workflow.run
    async def run(self, payment: dict[str, str]) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await workflow.execute_activity("payables.pay", payment, start_to_close_timeout=timedelta(seconds=10))


async def test_a_process_changed_under_its_histories_is_found_out() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replayer(HastyPayment).replay_workflow(history("SupplierPayment/paid"))


@workflow.defn(name="Booking", sandboxed=False)
class HastyBooking:
    """What a careless change could make of a booking's process: the money is taken before the seats are sold."""

    @workflow.init
    def __init__(self, reserved: dict[str, str]) -> None:
        self._paid = False

    @workflow.run
    async def run(self, reserved: dict[str, str]) -> None:
        await workflow.wait_condition(lambda: self._paid)

    @workflow.update
    async def pay(self, ask: dict[str, str]) -> None:
        for step in ("payments.authorise", "payments.capture"):
            await workflow.execute_activity(step, ask, start_to_close_timeout=timedelta(seconds=8))
        self._paid = True


async def test_a_booking_that_captured_before_it_sold_is_found_out() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replayer(HastyBooking).replay_workflow(history("Booking/paid"))
