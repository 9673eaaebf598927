"""`python -m prove.kills`: strikes cells for MINUTES=45; SEED=, ENGINE=, ALL=1 (every cell), FRESH=1; 1 on any violation."""

from __future__ import annotations

import os
import secrets
import signal
import sys

from prove.kills.cells import VICTIMS, cells, edges
from prove.kills.record import Record
from prove.kills.run import Wish, a_run

MINUTES = 45.0


def main() -> int:
    """Strike, judge, write down, say how much of it all has been seen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    minutes = 0.0 if os.environ.get("ALL") else float(os.environ.get("MINUTES") or MINUTES)
    wish = Wish(seed=seed, engine=os.environ.get("ENGINE") or "cluster", minutes=minutes)
    record = Record.kept(fresh=bool(os.environ.get("FRESH")))
    victims = [name for name in os.environ.get("KILLS", "").split(",") if name]
    if strange := sorted(set(victims) - {*VICTIMS, "edges"}):
        sys.exit(f"prove: no victim {', '.join(strange)}; there are {', '.join(VICTIMS)} and edges")
    record.begin(seed=seed, engine=wish.engine)
    print(f"seed {seed}, engine {wish.engine}", flush=True)
    with a_run(wish, record) as run:
        wanted = [cell for cell in record.left() if not victims or cell.victim in victims]
        run.visit_all(wanted, record.left_edges() if not victims or "edges" in victims else [])
    for fault in run.faults:
        print(fault, file=sys.stderr)
    _say_coverage(record)
    return 1 if run.faults else 0


def _say_coverage(record: Record) -> None:
    found = record.content["cells"].values()
    edged = record.content["edges"].values()
    print(
        f"{sum(one['passed'] for one in found)} cells passed, {len(found)} visited of {len(cells())}; "
        f"{sum(one['passed'] for one in edged)} edges passed of {len(edges())}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
