"""A real Temporal for processes under test: one server per test worker, its queue served by whoever a test names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from gateways.temporal import Engine
from tests.makers import engine as makers
from tests.makers.engine import Steps


class Serve(Protocol):
    """Serves the core queue with all processes and these steps for as long as the block lasts."""

    def __call__(self, steps: Steps) -> AbstractAsyncContextManager[Worker]: ...


@pytest.fixture(scope="session")
def temporal_program() -> Path:
    return makers.temporal_program()


@pytest.fixture(scope="session")
async def client(temporal_program: Path) -> AsyncIterator[Client]:
    async with makers.a_server(temporal_program) as client:
        yield client


@pytest.fixture
def engine(client: Client) -> Engine:
    """As the dispatcher reaches processes."""
    return Engine(client)


@pytest.fixture
def serve(client: Client) -> Serve:
    return partial(makers.serving, client)
