"""`make prove`: races, then kills, then RELIABILITY.md; MINUTES=45 SEED= SHARE= RACES= KILLS= (`none` leaves one out) ALL=1 FRESH=1."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec

from prove import page
from settings import ROOT

MINUTES, LEAST = 45.0, 1.0
"""For both parts together, and what is left to the kills however long the races took."""
ALL_RACES = 480.0
"""Minutes after which a run has room for the races at their full size, which take about a third of that on two cores."""
PARTS = {"RACES": "prove.races", "KILLS": "prove.kills"}


def main() -> int:
    """Run both parts, write the page, 1 if either found something."""
    began = time.monotonic()
    statuses = []
    for variable, module in PARTS.items():
        if os.environ.get(variable) == "none" or find_spec(module) is None:
            continue
        left = minutes() - (time.monotonic() - began) / 60
        environment = {"SHARE": share(), **os.environ, "MINUTES": str(max(left, LEAST))}
        statuses.append(
            subprocess.run((sys.executable, "-m", module), cwd=ROOT, env=environment, check=False).returncode
        )
    page.write()
    print(f"see {page.PAGE.name}")
    return 1 if any(statuses) else 0


def minutes() -> float:
    """How long the whole run may take."""
    return float(os.environ.get("MINUTES") or MINUTES)


def share() -> str:
    """How much of each race a run of these minutes holds, so that the kills have two thirds of it; named ones are run whole."""
    if os.environ.get("RACES"):
        return "1"
    return str(min(minutes() / ALL_RACES, 1.0))


if __name__ == "__main__":
    sys.exit(main())
