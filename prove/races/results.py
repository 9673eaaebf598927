"""What the races found, kept as JSON in prove/results/races.json: of each race and control its last run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.results import conditions
from prove.races.tally import Line
from settings import ROOT

FILE = ROOT / "prove" / "results" / "races.json"


def write(*, seed: int, races: Sequence[Line], controls: Sequence[Line], file: Path = FILE) -> Line:
    """Write the file; its content."""
    found = {"conditions": conditions(), "seed": seed, "races": list(races), "controls": list(controls)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return found
