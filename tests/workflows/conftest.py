"""A real Temporal for processes under test: one server per test worker, its queues served by whoever a test names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.states import Refused
from gateways.temporal import QUEUE, Engine
from supervisor import temporal_binaries
from supervisor.errors import CannotStart
from supervisor.process import Spec
from supervisor.temporal_binaries import Workshop
from workflows.registry import PROCESSES

Steps = Sequence[Callable[..., Any]]


class Serve(Protocol):
    """Serves the core queue with all processes and these steps for as long as the block lasts."""

    def __call__(self, steps: Steps) -> AbstractAsyncContextManager[Worker]: ...


def run_to_its_end(spec: Spec, seconds: float) -> None:
    """A download or a build that the engine's program needs."""
    environment = {**os.environ, **spec.environment}
    try:
        subprocess.run(spec.command, check=True, cwd=spec.folder, env=environment, timeout=seconds)
    except subprocess.SubprocessError as error:
        raise CannotStart(str(error)) from error


@pytest.fixture(scope="session")
def temporal_program() -> Path:
    return temporal_binaries.command_line(Workshop(run=run_to_its_end, say=print))


@pytest.fixture(scope="session")
async def client(temporal_program: Path) -> AsyncIterator[Client]:
    """A server in memory, and our way to it."""
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(temporal_program),
        dev_server_startup_timeout=timedelta(seconds=60),
        dev_server_extra_args=["--dynamic-config-value", "history.maxTotalUpdates=10000"],
    )
    async with environment:
        yield environment.client


@pytest.fixture
def engine(client: Client) -> Engine:
    """As the dispatcher reaches processes."""
    return Engine(client)


@pytest.fixture
def serve(client: Client) -> Serve:
    @asynccontextmanager
    async def serving(steps: Steps) -> AsyncIterator[Worker]:
        with ThreadPoolExecutor(16) as threads:
            worker = Worker(
                client,
                task_queue=QUEUE,
                workflows=list(PROCESSES),
                activities=list(steps),
                activity_executor=threads,
                workflow_failure_exception_types=[Refused],
                graceful_shutdown_timeout=timedelta(seconds=5),
            )
            async with worker:
                yield worker

    return serving
