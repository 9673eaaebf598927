"""The simulated provider as a process of its own, and our side of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.payments import SimulatedPayments
from tests.gateways.parts import a_provider


@contextmanager
def our_side_of_a_provider(home: Path) -> Iterator[SimulatedPayments]:
    """A provider that lives as long as the block; its book lies below `home`."""
    with a_provider(home).running() as part:
        ours = SimulatedPayments(part.url)
        yield ours
        ours.close()
