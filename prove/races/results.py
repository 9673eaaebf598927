"""What the races found, kept as JSON in prove/results/races.json: of each race and control its last run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import conditions
from prove.races.tally import Line
from settings import ROOT

FILE = ROOT / "prove" / "results" / "races.json"


def write(*, seed: int, races: Sequence[Line], controls: Sequence[Line], file: Path = FILE) -> Line:
    """Lay this run's lines over those of earlier runs, each with its date, commit and seed; the file's content."""
    where = conditions()
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"races": [], "controls": []}
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


def _laid(known: Sequence[Line], new: Sequence[Line], *, by: str) -> list[Line]:
    """What is new in the place of what is known, and the rest behind it."""
    now = {line[by]: line for line in new}
    return [now.pop(line[by], line) for line in known] + list(now.values())
