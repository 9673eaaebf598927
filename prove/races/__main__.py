"""`python -m prove.races`: every race, or RACES=c1,c6; ROUNDS= or SHARE=0.01 to scale, SEED=, ENGINE=, FRESH=1; 1 if any is lost."""

from __future__ import annotations

import os
import secrets
import sys

from prove.races import controls, ground, results
from prove.races.programme import CLIENTS, RACES
from prove.races.race import Race, ran
from prove.races.tally import Line

CONTROLS = "controls"


def main() -> int:
    """Run what was asked for, one line each as it goes, and write it down."""
    wanted = [name.strip() for name in os.environ.get("RACES", "").split(",") if name.strip()]
    if strange := sorted(set(wanted) - {race.name for race in RACES} - {CONTROLS}):
        sys.exit(f"prove: no race {', '.join(strange)}; there are {', '.join(r.name for r in RACES)} and {CONTROLS}")
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    engine, share = os.environ.get("ENGINE") or "cluster", float(os.environ.get("SHARE") or 1)
    results.begin(fresh=bool(os.environ.get("FRESH")))
    print(f"seed {seed}, engine {engine}", flush=True)
    chosen = [race for race in RACES if not wanted or race.name in wanted]
    raced = run_races(chosen, engine=engine, seed=seed, share=share) if chosen else []
    controlled = run_controls(engine=engine, seed=seed, share=share) if not wanted or CONTROLS in wanted else []
    lost = [line["name"] for line in raced if not line["holds"]]
    missed = [line["guard"] for line in controlled if not line["caught"]]
    print(f"{len(raced)} races, {len(lost)} lost; {len(controlled)} controls, {len(missed)} missed", flush=True)
    return 1 if lost or missed else 0


def run_races(races: list[Race], *, engine: str, seed: int, share: float) -> list[Line]:
    """The races on one house."""
    lines = []
    with ground.a_ground(ground.plan(engine=engine), clients=CLIENTS, seed=seed) as before:
        for race in races:
            rounds = int(os.environ.get("ROUNDS") or max(round(race.rounds * share), 1))
            line = ran(race, before, rounds)
            lines.append(line)
            results.write(seed=seed, races=[line], controls=[])
            print(told(line), flush=True)
    return lines


def run_controls(*, engine: str, seed: int, share: float) -> list[Line]:
    """The controls, on houses of their own."""
    lines = []
    for line in controls.run_all(engine=engine, seed=seed, share=share):
        lines.append(line)
        results.write(seed=seed, races=[], controls=[line])
        print(
            f"without {line['guard']}: {line['race']} {'red' if line['caught'] else 'GREEN'}: {line['how']}", flush=True
        )
    return lines


def told(line: Line) -> str:
    """A race's line on the screen, and below it what came out wrong."""
    counted = ", ".join(f"{name} {number}" for name, number in line["counted"].items())
    figures = (
        f"{line['name']:<8} {line['rounds']} rounds, {line['requests']} requests: {counted}; 5xx {line['server_errors']},"
        f" deadlocks {line['deadlocks']}, p50 {line['p50_ms']:g} ms, p99 {line['p99_ms']:g} ms,"
        f" violations {line['violations']} ({line['seconds']:.0f} s)"
    )
    return "\n".join([figures, *[f"         WRONG {fault}" for fault in line["faults"]]])


if __name__ == "__main__":
    sys.exit(main())
