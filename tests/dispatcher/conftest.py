"""A queue of its own, a shop that fills it, an engine's namespace and a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from db.transaction import Database
from gateways import temporal
from settings import Settings
from tests import engine, ground
from tests.gateways.parts import Part
from tests.makers.access import an_agency
from tests.makers.selling import Shop, a_shop


@pytest.fixture(scope="module")
def quiet(worker_name: str) -> Iterator[Database]:
    """A database of its own: the queue is everybody's."""
    with ground.clone(f"{worker_name}_courier") as clone, Database(clone.app_url, size=24) as database:
        yield database


@pytest.fixture
def shop(quiet: Database) -> Iterator[Shop]:
    """A shop whose papers and letters of buying are out of the way; what it leaves in the queue is taken out."""
    made = a_shop(quiet, an_agency(quiet))
    clear(made)
    yield made
    clear(made)


def clear(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET delivered_at = now() WHERE delivered_at IS NULL")


@pytest.fixture(scope="module")
def namespace(worker_name: str) -> str:
    return engine.namespace(f"{worker_name}-courier")


@pytest.fixture
async def client(namespace: str) -> Client:
    return await temporal.connect(engine.address(), namespace=namespace)


@pytest.fixture
def settings(tmp_path: Path, namespace: str, sink: Part) -> Settings:
    return Settings(home=tmp_path, temporal_address=engine.address(), temporal_namespace=namespace, smtp_url=sink.url)
