"""`make bench`: measures every row, or those of ROWS=reserve,receive; writes bench/results/, PERFORMANCE.md, docs/scaling.md; 1 below a floor."""

from __future__ import annotations

import os
import sys
import time

from bench import page, results, scaling
from bench.results import Found
from bench.row import Group, Row
from bench.rows import GROUPS
from settings import ROOT

PAGE = ROOT / "PERFORMANCE.md"


def main() -> int:
    """Measure, write down, judge."""
    wanted = [name.strip() for name in os.environ.get("ROWS", "").split(",") if name.strip()]
    known = {row.name for group in GROUPS for row in group.rows}
    if strange := sorted(set(wanted) - known):
        sys.exit(f"bench: no row {', '.join(strange)}; there are {', '.join(sorted(known))}")
    where = results.conditions()
    found = [one for group in GROUPS for one in measured(group, wanted)]
    results.keep(found, where)
    PAGE.write_text(page.page())
    scaling.PAGE.write_text(scaling.page())
    short = [one.row.name for one in found if not one.row.reaches(one.figure, one.row.floor)]
    print(
        f"{len(found)} rows, {len(short)} short of their floor{': ' if short else ''}{', '.join(short)}; see {PAGE.name}"
    )
    return 1 if short else 0


def measured(group: Group, wanted: list[str]) -> list[Found]:
    """The group's wanted rows with their figures; its ground is made only when there are any."""
    rows = [row for row in group.rows if not wanted or row.name in wanted]
    if not rows:
        return []
    with group.ground() as ground:
        return [_one(row, ground) for row in rows]


def _one(row: Row, ground: object) -> Found:
    began = time.monotonic()
    found = Found(row=row, figure=row.measure(ground))
    line = found.line()
    against = "" if line["anchor"] is None else f"  anchor {line['anchor']:g}  ratio {line['ratio']:g}"
    verdict = "target reached" if line["reached"] else "floor holds" if line["holds"] else "BELOW ITS FLOOR"
    seconds = time.monotonic() - began
    print(f"{row.name:<22} {line['value']:g} {row.unit}{against}  {verdict}  ({seconds:.0f} s)", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
