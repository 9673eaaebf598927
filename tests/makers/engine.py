"""A real Temporal for tests: its program, a server in memory, and a worker that serves what a test names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.states import Refused
from gateways.temporal import QUEUE
from supervisor import temporal_binaries
from supervisor.fetch import run_to_its_end
from supervisor.temporal_binaries import Workshop
from workflows.registry import PROCESSES

Steps = Sequence[Callable[..., Any]]


def temporal_program() -> Path:
    """The CLI that contains the development server."""
    return temporal_binaries.command_line(Workshop(run=run_to_its_end, say=print))


@asynccontextmanager
async def a_server(program: Path) -> AsyncIterator[Client]:
    """A server in memory, and our way to it."""
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        identity="tests",
        dev_server_existing_path=str(program),
        dev_server_startup_timeout=timedelta(seconds=60),
        dev_server_extra_args=["--dynamic-config-value", "history.maxTotalUpdates=10000"],
    )
    async with environment:
        yield environment.client


@asynccontextmanager
async def serving(client: Client, steps: Steps, **more: Any) -> AsyncIterator[Worker]:
    """The core queue served with all processes and these steps for as long as the block lasts."""
    with ThreadPoolExecutor(16) as threads:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=list(PROCESSES),
            activities=list(steps),
            activity_executor=threads,
            workflow_failure_exception_types=[Refused],
            graceful_shutdown_timeout=timedelta(seconds=5),
            **more,
        )
        async with worker:
            yield worker
