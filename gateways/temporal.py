"""Temporal as the dispatcher and the workers reach it: connect, start a process, ask a process for something."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio.client import (
    Client,
    GrpcCompression,
    WithStartWorkflowOperation,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

PATIENCE = timedelta(seconds=2)
QUEUE = "core"


class NotAccepted(Exception):
    """Temporal, or the process, did not take it now; try again later."""


async def connect(address: str, *, namespace: str) -> Client:
    """A client with our data converter (exact decimals, UUIDs, aware datetimes); messages of ids are not worth packing."""
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        grpc_compression=GrpcCompression.NONE,
    )


async def reach(address: str, *, namespace: str) -> Client:
    """The same within two seconds; raises NotAccepted when nobody answers, or somebody who says nothing."""
    try:
        return await asyncio.wait_for(connect(address, namespace=namespace), PATIENCE.total_seconds())
    except (RuntimeError, TimeoutError) as error:
        raise NotAccepted(str(error).split("\n")[0] or "Temporal does not answer") from error


class Pulse:
    """Whether Temporal's frontend says that it serves; one connection, made when first asked."""

    def __init__(self, address: str, *, namespace: str) -> None:
        self._address = address
        self._namespace = namespace
        self._client: Client | None = None

    async def beats(self) -> bool:
        """Ask; False after two seconds without a good answer."""
        try:
            if self._client is None:
                self._client = await Client.connect(self._address, namespace=self._namespace, lazy=True)
            return await self._client.service_client.check_health(timeout=PATIENCE)
        except (RPCError, RuntimeError, TimeoutError):
            return False


class Engine:
    """Starts processes and brings them Updates; each is safe to repeat, because ids are business keys."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(
        self, process: str, *, process_id: str, argument: dict[str, Any], starts_at: datetime | None = None
    ) -> None:
        """Start a process unless it is running or has run; raises NotAccepted."""
        try:
            await self._client.start_workflow(
                process,
                argument,
                id=process_id,
                task_queue=QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                start_delay=_delay(starts_at),
                rpc_timeout=PATIENCE,
            )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, TimeoutError) as error:
            raise NotAccepted(str(error)) from error

    async def update(
        self,
        process: str,
        *,
        process_id: str,
        argument: dict[str, Any],
        verb: str,
        operation_id: UUID,
        starts_at: datetime | None = None,
    ) -> None:
        """Bring an Update to a process, starting the process first when it is missing; raises NotAccepted."""
        try:
            if starts_at is None or not await self._asked(process_id, verb, operation_id):
                await self._asked_with_start(process, process_id, argument, verb, operation_id)
        except (RPCError, TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            raise NotAccepted(str(error) or "no worker took the update in time") from error

    async def running(self) -> set[str]:
        """The ids of all open processes of bookings, orders and papers, delayed ones included; raises NotAccepted."""
        query = "ExecutionStatus = 'Running' AND WorkflowType IN ('Booking', 'PurchaseOrder', 'Papers')"
        try:
            return {one.id async for one in self._client.list_workflows(query)}
        except (RPCError, TimeoutError) as error:
            raise NotAccepted(str(error)) from error

    async def _asked(self, process_id: str, verb: str, operation_id: UUID) -> bool:
        """Whether a running process took the Update: it wakes one whose start is still delayed."""
        handle = self._client.get_workflow_handle(process_id)
        try:
            await handle.start_update(
                verb,
                {"operation_id": str(operation_id)},
                id=str(operation_id),
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=PATIENCE,
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _asked_with_start(
        self, process: str, process_id: str, argument: dict[str, Any], verb: str, operation_id: UUID
    ) -> None:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            process,
            argument,
            id=process_id,
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        try:
            await self._client.start_update_with_start_workflow(
                verb,
                {"operation_id": str(operation_id)},
                start_workflow_operation=start,
                id=str(operation_id),
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=PATIENCE,
            )
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
            # The start has a future of its own with the same failure; asyncio complains when nobody looks at it.
            with suppress(RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
                await asyncio.wait_for(start.workflow_handle(), 0.1)
            raise


def _delay(starts_at: datetime | None) -> timedelta | None:
    if starts_at is None:
        return None
    left = starts_at - datetime.now(UTC)
    return left if left > timedelta(0) else None
