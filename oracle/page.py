"""docs/invariants.md, made from the invariants themselves: `python -m oracle.page > docs/invariants.md`."""

from __future__ import annotations

import sys

from db.invariants import FOLDER, GROUPS, Invariant, invariants

HEAD = """# The invariants

What must hold in every agency at every moment. Each is one SQL query for the rows that violate it, run over all agencies
by the read-only role of the auditor; no row is the only pass. `make verify` (or `allotment verify`, with `--json` for
programs) runs them all and exits with 1 if any row is found. The queries lie in `db/invariants/`; this page is made from
them by `python -m oracle.page`.

What the database cannot know is handed in: the payment provider's own book (M3, B1100), the list of Temporal's running
processes (S6), and since when all parts have been running (S5, S6 and L1 judge lateness only while the house is awake).
Where that is not known, as while a part is down, their lines say `not judged` or `judged in part`, and which part it is. On a
house that trades, only rows count that are found at each of five looks.
"""


def page() -> str:
    """The whole page."""
    sections = [f"## {title}\n\n{_table(letter)}" for letter, title in GROUPS.items()]
    return "\n".join([HEAD, *sections])


def _table(letter: str) -> str:
    rows = [_row(one) for one in invariants() if one.name.startswith(letter)]
    return "\n".join(["| | what holds | what guards it |", "|---|---|---|", *rows]) + "\n"


def _row(one: Invariant) -> str:
    link = f"[{one.name}](../db/{FOLDER.name}/{one.name}.sql)"
    return f"| {link} | {one.sentence} | {one.guard} |"


if __name__ == "__main__":
    sys.stdout.write(page())
