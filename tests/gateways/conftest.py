"""The parts that these tests ask for, and our side of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateways.payments import SimulatedPayments
from tests.gateways.parts import Part, a_provider


@pytest.fixture(scope="module")
def shared_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    """A provider for tests that neither kill nor freeze it."""
    part = a_provider(tmp_path_factory.mktemp("provider"))
    part.start()
    yield part
    assert part.stop() == 0


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Part]:
    """A provider of the test's own."""
    with a_provider(tmp_path).running() as part:
        yield part


@pytest.fixture(scope="module")
def payments(shared_provider: Part) -> Iterator[SimulatedPayments]:
    """Our side of the shared provider."""
    ours = SimulatedPayments(shared_provider.url)
    yield ours
    ours.close()


@pytest.fixture(scope="module")
def hasty(shared_provider: Part) -> Iterator[SimulatedPayments]:
    """The same, but giving up after half a second, so that silence need not be sat out."""
    ours = SimulatedPayments(shared_provider.url, timeout=0.5)
    yield ours
    ours.close()
