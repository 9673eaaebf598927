"""Processes that were begun under older code can still go on under this one: every recorded history is followed again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.states import Refused
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
