"""The kills' part of RELIABILITY.md, made from what the runs found and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.results import machine
from prove.kills.cells import FAULTS, POINTS, VICTIMS, cells, edges
from prove.kills.record import Line, recovery_lines
from prove.kills.recovery import MEANINGS

SECTION = """## Kills

One house of two APIs, two workers, one for papers, a dispatcher, the provider, mail and Temporal on the same Postgres ({engine}
engine), with toxiproxy on its edges and agencies trading at both APIs all the time. A cell is a step of a process, a point of
that step and a victim: when a process comes to the point it is held there, the victim dies by SIGKILL with all its processes,
and the house heals by itself (the node is switched on again on the same home). A cell passes when somebody was struck there, the
struck process is at rest within 60 s of the healing, what was asked for has ended as it must, each booking has the one charge and
the refunds that are due in the provider's own book, each delivery one receipt and one bill, everything ever acknowledged is
there, and the oracle finds nothing. The cells are listed from the registered activities; a new one without its cells fails the
suite.

{run}

Cells passed / visited / all:

{cells}

{faults}### Recovery

{recoveries}

### Edges

Each is made to fail while people act, then mended; seconds from the mending to the end of the first new process.

{edges}

### Can the harness see loss?

{control}

### Replay and upgrade

{upgrade}

### What this does not show

SIGKILL is not power loss: what the kernel had of a file it still has. It is one machine, so there are no partitions between
disks and no clocks that differ. The simulated provider is ours; a real one may lie in ways we have not thought of. A process is
held at a point before the victim dies, so deaths between two points of a step are not aimed at; trade meets them by chance.
"""


def section(found: Line) -> str:
    """Everything about kills, from `prove/results/kills.json`."""
    return SECTION.format(
        engine=found.get("engine", "?"),
        run=_run(found),
        cells=_cells(found["cells"]),
        faults=_faults(found),
        recoveries=_recoveries(found),
        edges=_edges(found["edges"]),
        control=_control(found.get("control")),
        upgrade=_upgrade(found.get("replay"), found.get("upgrade")),
    )


def _run(found: Line) -> str:
    where, trade = found["conditions"], found["trade"]
    listed = found["cells"].values()
    passed = sum(one["passed"] for one in listed)
    words = (
        f"Last run {where['date']}, commit {where['commit']}, seed {found['seed']}, {machine(where)}. "
        f"Coverage: {len(listed)} of {len(cells())} cells visited, {passed} passed."
    )
    if trade:
        words += (
            f" In {trade['runs']} runs {trade['acts']} acts of trade went on meanwhile; {trade['acknowledged']} answers promised "
            f"something, {trade['lost']} of which was lost; at the end of {trade['violated']} runs the oracle found something."
        )
    return words


def _cells(found: dict[str, Line]) -> str:
    def count(point: str, victim: str) -> str:
        mine = [cell.name for cell in cells() if (cell.point, cell.victim) == (point, victim)]
        visited = [found[name] for name in mine if name in found]
        return f"{sum(one['passed'] for one in visited)}/{len(visited)}/{len(mine)}"

    rows = [[words, *(count(point, victim) for victim in VICTIMS)] for point, words in POINTS.items()]
    return table(["", *VICTIMS], rows)


def _faults(found: Line) -> str:
    listed = {**found["cells"], **found["edges"]}
    failed = [f"- `{name}`: {one['fault']}" for name, one in sorted(listed.items()) if not one["passed"]]
    return "".join(f"{line}\n" for line in failed) + ("\n" if failed else "")


def _recoveries(found: Line) -> str:
    rows = [
        [
            one["victim"],
            MEANINGS[one["victim"]],
            one["times"],
            f"{one['p50']:.1f} s",
            f"{one['max']:.1f} s",
            "" if one["limit"] is None else f"{one['limit']:.0f} s",
            "" if one["limit"] is None or one["max"] <= one["limit"] else "**longer**",
        ]
        for one in recovery_lines(found)
    ]
    return table(["victim", "from", "times", "p50", "max", "asked", ""], rows)


def _edges(found: dict[str, Line]) -> str:
    ways = list(dict.fromkeys((edge.part, edge.service) for edge in edges()))
    if not found:
        return "Not tried: without Go there is no toxiproxy."

    def told(part: str, service: str, fault: str) -> str:
        one = found.get(f"edge/{part}-{service}/{fault}")
        return "" if one is None else f"{one['seconds']} s" if one["passed"] else "**failed**"

    rows = [[f"{part} to {service}", *(told(part, service, fault) for fault in FAULTS)] for part, service in ways]
    return table(["", *FAULTS.values()], rows)


def _control(lines: list[Line] | None) -> str:
    if not lines:
        return "Not tried in this run."
    told = [
        f"`synchronous_commit={one['synchronous_commit']}`: {one['acknowledged']} bookings acknowledged over {one['kills']} "
        f"deaths of Postgres, **{one['lost']} lost**."
        for one in lines
    ]
    return "The same check of acknowledged bookings, Postgres killed in the middle of a rush. " + " ".join(told)


def _upgrade(replay: Line | None, upgrade: Line | None) -> str:
    words = []
    if replay:
        words.append(f"{replay['histories']} recorded histories replayed, {replay['failed']} not followed.")
    if upgrade:
        words.append(
            f"{upgrade['begun']} processes begun on the previous build ({upgrade['previous']}), {upgrade['finished']} of them "
            f"finished by this one; {len(upgrade['faults'])} faults."
        )
    return " ".join(words) or "Not tried in this run."


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
