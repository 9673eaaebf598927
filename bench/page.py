"""PERFORMANCE.md, made from what the runs found and from nothing else."""

from __future__ import annotations

import json

from bench.results import CONDITIONS, LATEST, Line, machine
from bench.row import Row
from bench.rows import GROUPS

HEAD = """# How close to the database we run

Every row was measured by `make bench` on one box in one run, beside its anchor: what the bare database or the bare engine
does with the same work there. Absolute figures are that box's; the ratios are ours. A floor is a gate: below it the bench
ends with 1. Repeat it: `make bench`, or some rows with `make bench ROWS={some}`. The raw figures are in
[bench/results/](bench/results).

{machine}

| row | ours | anchor | ratio | floor | target | |
|---|---:|---:|---:|---:|---:|---|
{rows}

What each row is, and what its anchor is:

{words}
"""


def page() -> str:
    """The whole page, from `latest.json` and the conditions of the last run."""
    lines, where = json.loads(LATEST.read_text()), json.loads(CONDITIONS.read_text())
    known = {row.name: row for group in GROUPS for row in group.rows}
    listed = [line for name in known for line in lines if line["row"] == name]
    return HEAD.format(
        some=",".join(list(known)[:2]),
        machine=_machine(where),
        rows="\n".join(_row(line) for line in listed),
        words="\n".join(_words(known[line["row"]], line) for line in listed),
    )


def _machine(where: Line) -> str:
    return f"Last run {where['date']}, commit {where['commit']}: {machine(where)}, Python {where['python']}."


def _row(line: Line) -> str:
    anchor = "" if line["anchor"] is None else _number(line["anchor"])
    ratio = "" if line["ratio"] is None else f"{line['ratio']:.3g}"
    verdict = "target" if line["reached"] else "floor" if line["holds"] else "**short**"
    return (
        f"| {line['row']} | {_number(line['value'])} {line['unit']} | {anchor} | {ratio} "
        f"| {line['floor']:g} | {line['target']:g} | {verdict} |"
    )


def _words(row: Row, line: Line) -> str:
    notes = "; ".join(f"{name.replace('_', ' ')} {_told(value)}" for name, value in line["notes"].items())
    held = f" Held against floor and target: {row.judged}."
    more = f" ({notes}.)" if notes else ""
    return f"- **{row.name}**: {row.sentence} Anchor: {row.anchor}.{held}{more}{_short(row, line)}"


def _short(row: Row, line: Line) -> str:
    why = row.short or "nobody has found out why."
    return "" if line["reached"] else f" Short of the target: {why}"


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
