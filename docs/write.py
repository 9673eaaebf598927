"""Writes the pages that are made from the code and from what bench and prove found: `make docs`; a test that they are current."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import domain
from api import errors_page
from bench import page as bench_page
from bench import scaling
from domain.states import Machine
from oracle.page import page as invariants
from prove import page as prove_page
from settings import ROOT

STATES = """# States

Each thing has one table of what may be done with it, at the top of its file in `domain/`. Requests and steps are guarded by
that table, `can` in the API's answers lists its verbs, the database's CHECK constraints allow its states, and the diagrams
below are drawn from it. A verb with several ends goes where the facts lead.

Three statuses are never stored: a purchase order's follows from what its lines say (`domain/purchasing.py`), an event is
SOLD_OUT or COMPLETED by its seats and its end (`domain/seating.py`), and an expired reservation is free before anybody has
released it.
"""


def machines() -> list[tuple[str, str, Machine[Any]]]:
    """Every table of the house: the file, its name there, and itself."""
    found = []
    for module in pkgutil.iter_modules(domain.__path__):
        members = vars(importlib.import_module(f"domain.{module.name}"))
        found += [
            (f"domain/{module.name}.py", name, table)
            for name, table in members.items()
            if isinstance(table, Machine) and name.isupper()
        ]
    return found


def states() -> str:
    """All tables as one page of diagrams."""
    parts = [STATES]
    for file, name, table in machines():
        title = name.replace("_", " ").capitalize()
        parts.append(f"## {title}\n\n`{name}` in `{file}`\n\n```mermaid\n{table.diagram()}```\n")
    return "\n".join(parts)


PAGES = {
    "docs/errors.md": errors_page.markdown,
    "docs/invariants.md": invariants,
    "docs/scaling.md": scaling.page,
    "docs/states.md": states,
    "PERFORMANCE.md": bench_page.page,
    "RELIABILITY.md": prove_page.page,
}


def main() -> int:
    """Write every page; says which ones have changed."""
    for name, page in PAGES.items():
        path = ROOT / name
        text = page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
