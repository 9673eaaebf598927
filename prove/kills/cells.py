"""The cells: every step at every point with every victim, and every edge in every way it can fail."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prove.kills.steps import Step, steps

POINTS = {
    "before": "before the step",
    "effect": "after its effect, before the commit",
    "commit": "after the commit, before the answer",
    "next": "before the next task",
}
VICTIMS = ("worker", "api", "postgres", "temporal", "provider", "node")

EDGES = (
    ("api", "postgres"),
    ("worker", "postgres"),
    ("dispatcher", "postgres"),
    ("worker", "temporal"),
    ("dispatcher", "temporal"),
    ("worker", "provider"),
    ("dispatcher", "mail"),
)
FAULTS = {
    "pause": "stopped for 20 s",
    "cut": "cut",
    "deaf": "nothing arrives there",
    "mute": "nothing comes back",
}


@dataclass(frozen=True, order=True)
class Cell:
    """The victim dies while this process is at this point of this step."""

    step: Step
    point: str
    victim: str

    @property
    def name(self) -> str:
        """`Booking/payments.capture/effect/worker`."""
        return f"{self.step}/{self.point}/{self.victim}"


@dataclass(frozen=True, order=True)
class Edge:
    """The way from one kind of part to a service fails in this way for a while."""

    part: str
    service: str
    fault: str

    @property
    def name(self) -> str:
        """`edge/api-postgres/cut`."""
        return f"edge/{self.part}-{self.service}/{self.fault}"


def cells() -> tuple[Cell, ...]:
    """All of them, in the order of their names."""
    return tuple(Cell(step, point, victim) for step in steps() for point in POINTS for victim in VICTIMS)


def edges() -> tuple[Edge, ...]:
    """All of them."""
    return tuple(Edge(part, service, fault) for part, service in EDGES for fault in FAULTS)


def batches(wanted: Iterable[Cell], *, size: int, seed: int) -> list[list[Cell]]:
    """The cells in an order of chance in which victims take turns; a batch has one victim and each of its points once."""
    chance = random.Random(seed)
    decks: dict[str, list[list[Cell]]] = {}
    for victim in VICTIMS:
        mine = sorted(cell for cell in wanted if cell.victim == victim)
        chance.shuffle(mine)
        mine = _evenly(mine, chance)
        decks[victim] = [mine[start : start + size] for start in range(0, len(mine), size)]
    rounds = max((len(deck) for deck in decks.values()), default=0)
    return [decks[victim][turn] for turn in range(rounds) for victim in VICTIMS if turn < len(decks[victim])]


def _evenly(mine: Sequence[Cell], chance: random.Random) -> list[Cell]:
    """Processes take turns, so that a run that ends early has met each of them."""
    by_process: dict[str, list[Cell]] = {}
    for cell in mine:
        by_process.setdefault(cell.step.process, []).append(cell)
    placed: list[tuple[float, Cell]] = []
    for listed in by_process.values():
        first = chance.random()
        placed += [((place + first) / len(listed), cell) for place, cell in enumerate(listed)]
    return [cell for _, cell in sorted(placed)]
