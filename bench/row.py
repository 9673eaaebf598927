"""A row of the bench: what is measured, against which anchor, and which figures it must reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Judged(StrEnum):
    """What of a row is held against floor and target, and which way is good."""

    RATIO_HIGH = "ratio at least"
    RATIO_LOW = "ratio at most"
    VALUE_LOW = "value at most"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One thing that was measured: our value, the anchor's in the same unit (None where the row needs none), details."""

    value: float
    anchor: float | None = None
    notes: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Ours by the anchor's."""
        return self.value / self.anchor if self.anchor else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of PERFORMANCE.md. `measure` takes its group's ground and is called once; it repeats what it must itself.

    `floor` is a gate: a figure beyond it makes the bench exit with 1. `target` is what we aim for; `short` says why a
    figure stays short of it, for the page to tell while it does.
    """

    name: str
    sentence: str
    unit: str
    anchor: str
    judged: Judged
    floor: float
    target: float
    measure: Callable[[Any], Figure]
    short: str = ""

    def reaches(self, figure: Figure, bound: float) -> bool:
        """Whether the figure is on the good side of a bound."""
        if self.judged is Judged.VALUE_LOW:
            return figure.value <= bound
        assert figure.ratio is not None, f"{self.name} is judged by a ratio"
        return figure.ratio >= bound if self.judged is Judged.RATIO_HIGH else figure.ratio <= bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Rows that are measured on the same ground, which stands for as long as they take."""

    ground: Callable[[], AbstractContextManager[Any]]
    rows: tuple[Row, ...]


def median(figures: Sequence[Figure]) -> Figure:
    """The figure in the middle of several runs, by its ratio where it has one; the spread goes into the notes."""
    ranked = sorted(figures, key=lambda figure: figure.ratio if figure.ratio is not None else figure.value)
    middle = ranked[len(ranked) // 2]
    values = [figure.value for figure in figures]
    spread = {"runs": float(len(figures)), "least": min(values), "most": max(values)}
    anchors = [figure.anchor for figure in figures if figure.anchor is not None]
    if anchors:
        spread["anchor_median"] = statistics.median(anchors)
    return Figure(value=middle.value, anchor=middle.anchor, notes={**middle.notes, **spread})
