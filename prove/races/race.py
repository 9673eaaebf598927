"""A race: its name, its sentence, how many rounds it has in full, and exactly what must come out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from prove.races.ground import Ground
from prove.races.tally import Line, Tally


@dataclass(frozen=True, kw_only=True)
class Race:
    """One kind of collision. `run` plays that many rounds and says in its tally everything that came out wrong."""

    name: str
    sentence: str
    expected: str
    rounds: int
    run: Callable[[Ground, int], Tally]
    ties_allowed: bool = False


def ran(race: Race, ground: Ground, rounds: int, *, oracle: bool = True) -> Line:
    """The race's figures, after the database's own log and the oracle (unless it is asked later) have had their say."""
    began, mark = time.monotonic(), ground.log_mark()
    tally = race.run(ground, rounds)
    logged = ground.logged(mark)
    for name, number in logged.items():
        if number and not (name == "ties" and race.ties_allowed):
            tally.fault(f"the database's log tells of {number} {name.replace('_', ' ')}", number)
    rows = ground.verify() if oracle else []
    for row in rows:
        tally.fault(f"the oracle: {row}")
    return {
        "name": race.name,
        "sentence": race.sentence,
        "expected": race.expected,
        "clients": ground.crowd.clients,
        **tally.line(),
        **logged,
        "oracle_rows": len(rows),
        "violations": tally.wrong,
        "holds": tally.wrong == 0,
        "seconds": round(time.monotonic() - began, 1),
    }
