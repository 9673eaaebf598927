"""A real Temporal for processes under test: the run's server, a namespace per test worker, served by whom a test names."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Protocol

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from gateways import temporal
from gateways.temporal import Engine
from tests import engine as engines
from tests.makers import engine as makers
from tests.makers.engine import Steps


class Serve(Protocol):
    """Serves the core queue with all processes and these steps for as long as the block lasts."""

    def __call__(self, steps: Steps, **more: Any) -> AbstractAsyncContextManager[Worker]: ...


@pytest.fixture(scope="session")
def namespace(worker_name: str) -> str:
    return engines.namespace(worker_name)


@pytest.fixture(scope="session")
async def client(namespace: str) -> Client:
    return await temporal.connect(engines.address(), namespace=namespace)


@pytest.fixture
def engine(client: Client) -> Engine:
    """As the dispatcher reaches processes."""
    return Engine(client)


@pytest.fixture
def serve(client: Client) -> Serve:
    return partial(makers.serving, client)
