"""`python -m prove.kills`: strikes cells for MINUTES=45; SEED=, ENGINE=, ALL=1 (every cell), FRESH=1; 1 on any fault."""

from __future__ import annotations

import os
import secrets
import signal
import sys

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

from prove.kills import durability, upgrade
from prove.kills.cells import VICTIMS, cells, edges
from prove.kills.record import Record, too_slow
from prove.kills.run import Wish, a_run

MINUTES = 45.0
OTHERS = ("edges", "replay", "control", "upgrade")


def main() -> int:
    """Strike, judge, write down, say how much of it all has been seen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # That an engine is away is what is wanted here; the SDK need not warn of it.
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="error"))))
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    minutes = 0.0 if os.environ.get("ALL") else float(os.environ.get("MINUTES") or MINUTES)
    wish = Wish(seed=seed, engine=os.environ.get("ENGINE") or "cluster", minutes=minutes)
    record = Record.kept(fresh=bool(os.environ.get("FRESH")))
    chosen = [name for name in os.environ.get("KILLS", "").split(",") if name]
    if strange := sorted(set(chosen) - {*VICTIMS, *OTHERS}):
        sys.exit(f"prove: no victim {', '.join(strange)}; there are {', '.join((*VICTIMS, *OTHERS))}")
    record.begin(seed=seed, engine=wish.engine)
    print(f"seed {seed}, engine {wish.engine}", flush=True)
    faults = _others(record, wish, chosen)
    if not chosen or {*VICTIMS, "edges"} & set(chosen):
        faults += _strike(record, wish, chosen)
    for fault in faults:
        print(fault, file=sys.stderr)
    _say_coverage(record)
    return 1 if faults else 0


def _others(record: Record, wish: Wish, chosen: list[str]) -> list[str]:
    """What is asked once a run and not of each cell; faults."""
    faults = []
    if not chosen or "replay" in chosen:
        record.content["replay"] = replay = upgrade.replayed()
        print(f"{replay['histories']} histories replayed, {replay['failed']} not followed", flush=True)
        faults += ["a recorded history is not followed"] if replay["failed"] else []
    if not chosen or "control" in chosen:
        record.content["control"] = lines = durability.controls()
        for line in lines:
            print(", ".join(f"{name} {value}" for name, value in line.items()), flush=True)
        faults += [] if durability.seen(lines) else ["the negative control: loss is not seen as it should be"]
    if not chosen or "upgrade" in chosen:
        record.content["upgrade"] = found = upgrade.upgraded(engine=wish.engine)
        print(f"{found['begun']} processes begun on {found['previous']}, {found['finished']} finished", flush=True)
        faults += [f"upgrade: {fault}" for fault in found["faults"]]
        faults += ["upgrade: not every process finished"] if found["finished"] < found["begun"] else []
    record.save()
    return faults


def _strike(record: Record, wish: Wish, chosen: list[str]) -> list[str]:
    """Cells and edges; faults."""
    with a_run(wish, record) as run:
        wanted = [cell for cell in record.left() if not chosen or cell.victim in chosen]
        run.visit_all(wanted, record.left_edges() if not chosen or "edges" in chosen else [])
    return [*run.faults, *too_slow(record.content)]


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
