"""What the kills found, kept as JSON: a run goes on where the last one stopped; a cell that failed is written down for ever."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.results import conditions
from prove.kills.cells import Cell, Edge, cells, edges
from prove.kills.edging import EdgeOutcome
from prove.kills.recovery import LIMITS
from prove.kills.visit import Outcome
from settings import ROOT

FILE = ROOT / "prove" / "results" / "kills.json"
SEEDS = ROOT / "prove" / "seeds.json"

Line = dict[str, Any]
EMPTY: Line = {"cells": {}, "edges": {}, "recoveries": {}, "trade": {}}


@dataclass
class Record:
    """Everything found so far; `save` after each step, so that a run may end at any moment.

    A cell that fails is kept in the file of `seeds` as well, where there is one.
    """

    file: Path = FILE
    seeds: Path | None = SEEDS
    content: Line = field(default_factory=lambda: deepcopy(EMPTY))

    @classmethod
    def kept(cls, file: Path = FILE, *, fresh: bool = False) -> Record:
        """What the last run left, or nothing."""
        known = {} if fresh or not file.exists() else json.loads(file.read_text())
        return cls(file, content=deepcopy(EMPTY) | known)

    def begin(self, *, seed: int, engine: str) -> None:
        """A run's conditions."""
        self.content |= {"conditions": conditions(), "seed": seed, "engine": engine}

    def left(self) -> list[Cell]:
        """The cells that have not passed yet."""
        return [cell for cell in cells() if not self.content["cells"].get(cell.name, {}).get("passed")]

    def left_edges(self) -> list[Edge]:
        """The edges that have not passed yet."""
        return [edge for edge in edges() if not self.content["edges"].get(edge.name, {}).get("passed")]

    def note(self, outcomes: Iterable[Outcome], *, seed: int) -> None:
        """A batch's cells."""
        for one in outcomes:
            line = {"passed": one.passed, "seconds": _rounded(one.seconds), "fault": one.fault, "seed": seed}
            self.content["cells"][one.cell.name] = line
            if not one.passed and one.process_id is not None and self.seeds:
                remember(one.cell.name, self.seeds)

    def note_edge(self, one: EdgeOutcome) -> None:
        """An edge."""
        line = {"passed": one.passed, "seconds": _rounded(one.seconds), "fault": one.fault}
        self.content["edges"][one.edge.name] = line

    def note_recoveries(self, victim: str, seconds: Iterable[float]) -> None:
        """How long it took, each time."""
        self.content["recoveries"].setdefault(victim, []).extend(filter(None, map(_rounded, seconds)))

    def note_trade(self, **counts: int) -> None:
        """What a run's trade came to, added to that of the runs before it."""
        known = self.content["trade"]
        self.content["trade"] = {name: known.get(name, 0) + count for name, count in counts.items()}

    def save(self) -> None:
        """Write it down."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.content["written_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.file.write_text(json.dumps(self.content, indent=1, sort_keys=True) + "\n")


def remember(name: str, file: Path) -> None:
    """A cell that once failed is visited by every `make test` from then on."""
    known = remembered(file)
    if name not in known:
        file.write_text(json.dumps(sorted([*known, name]), indent=1) + "\n")


def remembered(file: Path = SEEDS) -> list[str]:
    """The names of the cells that once failed."""
    listed: list[str] = json.loads(file.read_text())
    return listed


def recovery_lines(content: Line) -> list[Line]:
    """By victim: how often, p50, the longest, and what is asked."""
    return [
        {
            "victim": victim,
            "times": len(seconds),
            "p50": round(statistics.median(seconds), 1),
            "max": max(seconds),
            "limit": LIMITS.get(victim),
        }
        for victim, seconds in sorted(content["recoveries"].items())
        if seconds
    ]


def too_slow(content: Line) -> list[str]:
    """The victims that once took longer to be back than they may, a sentence each."""
    return [
        f"recovery: {line['victim']} once took {line['max']:g} s of {line['limit']:g}"
        for line in recovery_lines(content)
        if line["limit"] is not None and line["max"] > line["limit"]
    ]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
