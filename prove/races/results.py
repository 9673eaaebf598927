"""What the races found, kept as JSON in prove/results/races.json: a race's runs add up, of a control the last run counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import conditions
from prove.races.tally import MOST_SHOWN, Line
from settings import ROOT

FILE = ROOT / "prove" / "results" / "races.json"

SUMMED = (
    *("rounds", "requests", "server_errors", "deadlocks", "ties", "lock_timeouts", "statement_timeouts"),
    *("oracle_rows", "violations", "seconds"),
)
LONGEST = ("clients", "p50_ms", "p99_ms")
"""Of these the largest of all runs is told."""


def begin(*, fresh: bool = False, file: Path = FILE) -> None:
    """Go on from what earlier runs have found, or from nothing."""
    if fresh:
        file.unlink(missing_ok=True)


def write(*, seed: int, races: Sequence[Line], controls: Sequence[Line], file: Path = FILE) -> Line:
    """Add this run's lines to those of earlier runs, each with the last one's date, commit and seed; the file's content."""
    where = conditions()
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"races": [], "controls": []}
    before = {line["name"]: line for line in known["races"]}
    races = [added(before[line["name"]], line) if line["name"] in before else {"runs": 1, **line} for line in races]
    run = {"date": where["date"], "commit": where["commit"], "seed": seed}
    found = {
        "conditions": where,
        "seed": seed,
        "races": _laid(known["races"], [{**line, **run} for line in races], by="name"),
        "controls": _laid(known["controls"], [{**line, **run} for line in controls], by="guard"),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return found


def added(before: Line, now: Line) -> Line:
    """One line for both: what is counted is summed, of the times the longest is kept, and a fault stays one."""
    return {
        **before,
        **now,
        **{name: round(before.get(name, 0) + now.get(name, 0), 1) for name in SUMMED},
        **{name: max(before.get(name, 0), now.get(name, 0)) for name in LONGEST},
        **{name: dict(Counter(before.get(name, {})) + Counter(now.get(name, {}))) for name in ("answers", "counted")},
        "runs": before.get("runs", 1) + 1,
        "faults": [*before["faults"], *now["faults"]][:MOST_SHOWN],
        "holds": before["holds"] and now["holds"],
    }


def _laid(known: Sequence[Line], new: Sequence[Line], *, by: str) -> list[Line]:
    """What is new in the place of what is known, and the rest behind it."""
    now = {line[by]: line for line in new}
    return [now.pop(line[by], line) for line in known] + list(now.values())
