"""What every test may ask for: a database of this worker's own, two agencies, the API as each of their people, a mail sink."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import build
from db.transaction import Database
from settings import Settings
from tests import ground
from tests.gateways.parts import Part, a_sink
from tests.ground import Clone
from tests.makers.access import Agency, an_agency
from tests.makers.callers import Caller, with_token


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        ground.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        ground.end_run()


class CloneMaker(Protocol):
    """Makes one more database, dropped when the test ends."""

    def __call__(self) -> Clone: ...


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def clone(worker_name: str) -> Iterator[Clone]:
    """This worker's database; its tests share it and keep apart by agency."""
    with ground.clone(worker_name) as made:
        yield made


@pytest.fixture
def another_clone(worker_name: str) -> Iterator[CloneMaker]:
    """For tests that break something, or must be alone: a database of the test's own."""
    with ExitStack() as stack:
        numbers = iter(range(1000))
        yield lambda: stack.enter_context(ground.clone(f"{worker_name}_{os.getpid()}_{next(numbers)}"))


@pytest.fixture(scope="session")
def database(clone: Clone) -> Iterator[Database]:
    """The worker's database as the application's role."""
    with Database(clone.app_url, size=24, name="tests") as opened:
        yield opened


@pytest.fixture
def owner_connection(clone: Clone) -> Iterator[psycopg.Connection[Any]]:
    """The worker's database as its owner, each statement on its own: walls do not hold a superuser."""
    with psycopg.connect(clone.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def app(database: Database) -> FastAPI:
    """The API on the worker's database."""
    return build(Settings(build_id="test"), database)


@pytest.fixture(scope="session")
def http(app: FastAPI) -> Iterator[TestClient]:
    """One client for all callers; it sends no credential of its own."""
    with TestClient(app) as client:
        yield client


@pytest.fixture
def tenant(database: Database) -> Agency:
    """Northside: Nora owns it, Ines buys, Omar keeps the books, Bo sells."""
    return an_agency(database)


@pytest.fixture
def other_tenant(database: Database) -> Agency:
    """Harbour, the other agency, in another currency and time zone."""
    return an_agency(database, name="Harbour", currency="USD", timezone="America/New_York")


@pytest.fixture
def owner(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.owner.token)


@pytest.fixture
def buyer(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.buyer.token)


@pytest.fixture
def finance(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.finance.token)


@pytest.fixture
def boxoffice(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.boxoffice.token)


@pytest.fixture
def stranger(http: TestClient, other_tenant: Agency) -> Caller:
    """The owner of Harbour, who must see nothing of Northside."""
    return with_token(http, other_tenant.owner.token)


@pytest.fixture
def anonymous(http: TestClient) -> Caller:
    return Caller(http)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Part]:
    """A mail sink of the test's own."""
    with a_sink(tmp_path).running() as part:
        yield part
