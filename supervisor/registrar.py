"""A job of its own: makes Temporal's namespace, and names the release whose workers take new work.

Apart from the supervisor because the SDK brings threads, and the supervisor forks.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeWorkerDeploymentVersionRequest,
    RegisterNamespaceRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

Answer = TypeVar("Answer")

DEPLOYMENT = "allotment"
_QUEUES = frozenset({"core", "documents"})
"""One of each worker process; the queues beside them join the version when they are first polled."""
_RETENTION = timedelta(days=7)
_PATIENCE = 110.0
_RPC = timedelta(seconds=5)


async def prepare_namespace(address: str, *, namespace: str, seconds: float = _PATIENCE) -> None:
    """Returns once the server answers and the namespace takes requests, made where it was missing.

    Raises TimeoutError after that many seconds.
    """
    client = await _until(lambda: Client.connect(address, namespace=namespace), seconds=seconds)

    async def usable() -> bool:
        try:
            await client.workflow_service.count_workflow_executions(
                CountWorkflowExecutionsRequest(namespace=namespace), timeout=_RPC
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await _register(client, namespace)
            raise
        return True

    await _until(usable, seconds=seconds)


async def set_current(address: str, *, namespace: str, build_id: str) -> None:
    """Returns once both kinds of worker of this build poll and Temporal gives them all new work."""
    client = await _until(lambda: Client.connect(address, namespace=namespace))
    service = client.workflow_service
    version = WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build_id)

    async def polled() -> bool:
        described = await service.describe_worker_deployment_version(
            DescribeWorkerDeploymentVersionRequest(namespace=namespace, deployment_version=version), timeout=_RPC
        )
        missing = _QUEUES - {queue.name for queue in described.version_task_queues}
        if missing:
            raise LookupError(f"no worker of build {build_id} polls {', '.join(sorted(missing))}")
        return True

    async def current() -> bool:
        await service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=namespace, deployment_name=DEPLOYMENT, build_id=build_id, identity="allotment-supervisor"
            ),
            timeout=_RPC,
        )
        return True

    await _until(polled)
    await _until(current)


async def _register(client: Client, namespace: str) -> None:
    retention = Duration()
    retention.FromTimedelta(_RETENTION)
    request = RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=retention)
    try:
        await client.workflow_service.register_namespace(request, timeout=_RPC)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _until(call: Callable[[], Awaitable[Answer]], *, seconds: float = _PATIENCE) -> Answer:
    """Repeats a call that fails because the other side is not there yet; the last failure is the one that counts."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await call()
        except (RPCError, RuntimeError, LookupError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(str(error).splitlines()[0]) from error
            await asyncio.sleep(0.2)


async def _task(task: str, address: str, namespace: str, *rest: str) -> None:
    if task == "namespace":
        await prepare_namespace(address, namespace=namespace, seconds=float(rest[0]))
    else:
        await set_current(address, namespace=namespace, build_id=rest[0])


def main(words: list[str]) -> None:
    """`namespace <address> <name> <seconds>` or `current <address> <name> <build id>`; ends the process."""
    status = 0
    try:
        asyncio.run(_task(*words))
    except TimeoutError as late:
        print(f"Temporal at {words[1]}: {late}", flush=True)
        status = 1
    # The SDK's threads may still talk to an interpreter that is being taken down, which aborts the process.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
