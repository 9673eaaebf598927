"""The whole house in one process, on a database and an engine's namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from settings import current
from tests import engine, ground
from tests.makers.access import password_hash
from tests.makers.house import House, a_house


@pytest.fixture(scope="session")
def house(worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """API, dispatcher and core worker; no papers are printed."""
    password_hash()  # A worker's sandbox and the first import of a C module in another thread do not go together.
    folder = tmp_path_factory.mktemp("house")
    with ground.clone(f"{worker_name}_house") as clone, a_house(folder, clone) as made:
        made.begin(engine.address(), engine.namespace(f"{worker_name}-house"))
        yield made


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Seconds that a payment in flight holds its seats beyond the reservation."""
    monkeypatch.setenv("ALLOTMENT_PAYMENT_GRACE", "PT1S")
    current.cache_clear()
    yield 1.0
    current.cache_clear()
