"""The section on races of RELIABILITY.md, made from prove/results/races.json and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.results import machine

Line = Mapping[str, Any]

HEAD = """## Races

{clients} clients in other processes, each with a connection of its own, stand before the doors of two APIs on one database
and send when a barrier falls. After each race every answer that was given is held against what the API then says, and the
oracle (`allotment verify`) looks at all books. Deadlocks, double keys and lock timeouts are counted in the database's own log,
whether or not a client heard of them. What runs have found adds up until `FRESH=1`; the times are the longest of all runs.
Repeat it: `make prove`, or `RACES=c1,c6 SEED={seed} python -m prove.races`.

{conditions}

| race | rounds | requests | 5xx | deadlocks | p50 | p99 | violations |
|---|---:|---:|---:|---:|---:|---:|---:|
{races}

{sentences}
"""

CONTROLS = """### Without a guard

A race that cannot be lost proves nothing: each guard is taken away, and the same race must notice. The house then runs its own
parts through `prove/races/unguarded.py`, or without the index; the product has no switch for it. Two guards stand behind one
another: with the locks in place the unique index on live tickets never has to step in (a double key in the database's log
counts as a violation in every race above). So a missing lock is noticed by the double tickets that the index then stops, and
the index is missed only where the lock, or the look at the seats in the confirmation, is gone as well.

| without | race | noticed | by |
|---|---|---|---|
{controls}
"""


def section(found: Line) -> str:
    """The whole section."""
    races, controls = found["races"], found["controls"]
    parts = []
    if races:
        parts.append(
            HEAD.format(
                clients=max(line["clients"] for line in races),
                seed=found["seed"],
                conditions=_conditions(found["conditions"], seed=found["seed"]),
                races="\n".join(_race(line) for line in races),
                sentences="\n".join(_sentence(line, found["conditions"]) for line in races),
            )
        )
    if controls:
        parts.append(CONTROLS.format(controls="\n".join(_control(line) for line in controls)))
    return "\n".join(parts)


def _conditions(where: Line, *, seed: int) -> str:
    return (
        f"Last run {where['date']}, commit {where['commit']}, seed {seed}: {machine(where)}, Python {where['python']}."
    )


def _race(line: Line) -> str:
    verdict = f"{line['violations']}" if line["holds"] else f"**{line['violations']}**"
    return (
        f"| {line['name']} | {line['rounds']:,} | {line['requests']:,} | {line['server_errors']} "
        f"| {line['deadlocks']} | {line['p50_ms']:,.0f} ms | {line['p99_ms']:,.0f} ms | {verdict} |"
    )


def _sentence(line: Line, where: Line) -> str:
    """What the race is and what came out, with what was wrong, and when it was not part of the last run."""
    counted = "; ".join(f"{name} {number:,}" for name, number in line["counted"].items())
    runs = line.get("runs", 1)
    of_last_run = runs == 1 and line["commit"] == where["commit"]
    which = "Run" if runs == 1 else f"{runs} runs, the last"
    when = "" if of_last_run else f" ({which} {line['date']}, commit {line['commit']}.)"
    wrong = "".join(f"\n  - wrong: {fault}" for fault in line["faults"])
    return f"- **{line['name']}**: {line['sentence']}. Expected: {line['expected']}. Found: {counted}.{when}{wrong}"


def _control(line: Line) -> str:
    return f"| {line['guard']} | {line['race']} | {'yes' if line['caught'] else '**no**'} | {line['how']} |"
