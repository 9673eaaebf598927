"""The simulated provider as a process of its own, and our side of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.payments import TIMEOUT, SimulatedPayments
from tests.gateways.parts import a_provider


@contextmanager
def our_side_of_a_provider(home: Path, *, timeout: float = TIMEOUT) -> Iterator[SimulatedPayments]:
    """A provider that lives as long as the block, asked with that patience (seconds); its book lies below `home`."""
    with a_provider(home).running() as part:
        ours = SimulatedPayments(part.url, timeout=timeout)
        yield ours
        ours.close()
