"""`allotment verify`: every invariant over every agency of the home, one line each; exit 1 if any row violates one."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

from db import invariants
from db.invariants import Invariant, Violation
from oracle import outside
from settings import Settings, current

# What lies outside is read a moment before the database: on a running house a difference must last to count.
LOOKS, PAUSE = 5, 1.0
MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one invariant's query found."""

    invariant: Invariant
    violations: Sequence[Violation]


def main(*, as_json: bool = False) -> int:
    """Check the home's database; its parts are found by the settings. Returns the exit status."""
    verdicts = check(current())
    say = _say_json if as_json else _say_lines
    say(verdicts)
    return 1 if any(verdict.violations for verdict in verdicts) else 0


def check(settings: Settings) -> list[Verdict]:
    """Every verdict on one snapshot; one that finds something is asked again until it stays."""
    verdicts = _look(settings)
    for _ in range(LOOKS - 1):
        if not any(verdict.violations for verdict in verdicts):
            break
        time.sleep(PAUSE)
        verdicts = _look(settings)
    return verdicts


def _look(settings: Settings) -> list[Verdict]:
    assert settings.database_url, "the services have been adopted"
    found = invariants.all_violations(settings.database_url, outside.read(settings))
    return [Verdict(invariant=one, violations=found[one.name]) for one in invariants.invariants()]


def _say_lines(verdicts: Sequence[Verdict]) -> None:
    """One line per invariant; what violates one goes to the side, so that the lines stay one each."""
    for verdict in verdicts:
        _write(sys.stdout, f"{verdict.invariant.name:<6} {len(verdict.violations):>5}  {verdict.invariant.sentence}")
    for verdict in verdicts:
        for row in verdict.violations[:MOST_SHOWN]:
            _write(sys.stderr, f"{verdict.invariant.name}: {row.subject} {row.fault} (agency {row.tenant_id})")


def _say_json(verdicts: Sequence[Verdict]) -> None:
    found = [
        {
            "name": verdict.invariant.name,
            "sentence": verdict.invariant.sentence,
            "rows": len(verdict.violations),
            "violations": [asdict(row) for row in verdict.violations[:MOST_SHOWN]],
        }
        for verdict in verdicts
    ]
    holds = not any(verdict.violations for verdict in verdicts)
    _write(sys.stdout, json.dumps({"holds": holds, "invariants": found}, default=str, indent=2))


def _write(where: TextIO, line: str) -> None:
    where.write(line + "\n")
