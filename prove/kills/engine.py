"""Temporal as the harness asks it: whether a process is at rest, a round of upkeep, an order's process with short times."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from gateways import temporal
from supervisor.home import Addresses

T = TypeVar("T")
PATIENCE = timedelta(seconds=3)
QUEUE = "core"


async def _described(client: Client, process_id: str) -> WorkflowExecutionDescription:
    return await client.get_workflow_handle(process_id).describe(rpc_timeout=PATIENCE)


class EngineRoom:
    """One client, asked from any thread; an engine that is away is asked again."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask nothing more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def is_at_rest(self, process_id: str) -> bool:
        """Whether a process has ended, or waits for a clock or for people and for nothing else."""

        async def look(client: Client) -> bool:
            seen = await _described(client, process_id)
            if seen.status != WorkflowExecutionStatus.RUNNING:
                return True
            raw = seen.raw_description
            return not raw.pending_activities and not raw.pending_children and not raw.HasField("pending_workflow_task")

        return self._ask(look)

    def waits_its_turn(self, process_id: str) -> bool:
        """Whether a process has a step that nobody has taken up yet: one slot prints all papers, one after the other."""

        async def look(client: Client) -> bool:
            seen = await _described(client, process_id)
            waiting = seen.raw_description.pending_activities
            return all(one.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED for one in waiting)

        return self._ask(look)

    def has_ended(self, process_id: str) -> bool:
        """Whether a process has ended."""

        async def look(client: Client) -> bool:
            seen = await _described(client, process_id)
            return seen.status != WorkflowExecutionStatus.RUNNING

        return self._ask(look)

    def round(self, *, nightly: bool) -> None:
        """A round of upkeep now."""

        async def trigger(client: Client) -> None:
            handle = client.get_schedule_handle("upkeep-nightly" if nightly else "upkeep")
            await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL, rpc_timeout=PATIENCE)

        self._ask(trigger)

    def begin_again(self, argument: dict[str, Any]) -> None:
        """An order's process anew, with times of its own: it goes on from the order's facts."""

        async def begin(client: Client) -> None:
            await client.start_workflow(
                "PurchaseOrder",
                argument,
                id=f"purchase-order/{argument['order_id']}",
                task_queue=QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=PATIENCE,
            )

        self._ask(begin)

    def running(self, query: str) -> set[str]:
        """The ids of the open processes that a query names."""

        async def listed(client: Client) -> set[str]:
            wanted = f"ExecutionStatus = 'Running' AND {query}"
            return {one.id async for one in client.list_workflows(wanted)}

        return self._ask(listed)

    def _ask(self, question: Callable[[Client], Awaitable[T]], *, seconds: float = 60.0) -> T:
        """The answer; an outage is waited out for so long. Raises RPCError, RuntimeError or TimeoutError after that."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return asyncio.run_coroutine_threadsafe(self._asked(question), self._loop).result(seconds)
            except (RPCError, RuntimeError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    async def _asked(self, question: Callable[[Client], Awaitable[T]]) -> T:
        if self._client is None:
            where = self._addresses
            self._client = await temporal.connect(where.temporal_address, namespace=where.temporal_namespace)
        return await question(self._client)
