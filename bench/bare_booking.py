"""A process of the same shape as a booking's with nothing in it; in a file of its own, because the engine's sandbox loads it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

SHORT = timedelta(seconds=10)


@activity.defn
def authorise(number: str) -> str:
    return number


@activity.defn
def settle(number: str) -> str:
    return number


@activity.defn
def capture(number: str) -> str:
    return number


@activity.defn
def record(number: str) -> str:
    return number


@workflow.defn
class BareBooking:
    """Begun with a delay, woken by an Update that runs what a booking's payment runs: one step of its own, three within the task."""

    def __init__(self) -> None:
        self._paid = False

    @workflow.run
    async def run(self, number: str) -> None:  # noqa: ARG002 -- a process begins with what it is about
        """Until it is paid."""
        await workflow.wait_condition(lambda: self._paid)

    @workflow.update
    async def pay(self, number: str) -> None:
        """The four steps, one after the other."""
        await workflow.execute_activity(authorise, number, start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(settle, number, start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(capture, number, start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(record, number, start_to_close_timeout=SHORT)
        self._paid = True
