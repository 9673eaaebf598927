"""`allotment verify`: every invariant over every agency of the home, one line each; exit 1 if any row violates one."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TextIO

from db import invariants
from db.invariants import Invariant, Violation
from oracle import outside
from settings import Settings, current

# What lies outside is read a moment before the database: on a running house a difference must last to count.
LOOKS, PAUSE = 5, 1.0
MOST_SHOWN = 20
# Who asks whether something is late needs to know that the house has been awake for so long; some of them ask more.
LATENESS = {"L1": timedelta(seconds=60), "S5": timedelta(seconds=30), "S6": timedelta(0)}
IN_PART = {"S6"}
_SUMS = re.compile(r"is (?P<ours>-?[\d.]+), the provider has (?P<theirs>-?[\d.]+) (?P<currency>\w+)")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one invariant's query found, and in words when it could not be judged, or not in all."""

    invariant: Invariant
    violations: Sequence[Violation]
    reserve: str | None = None


def main(*, as_json: bool = False) -> int:
    """Check the home's database; its parts are found by the settings. Returns the exit status."""
    verdicts = check(current())
    say = _say_json if as_json else _say_lines
    say(verdicts)
    return 1 if any(verdict.violations for verdict in verdicts) else 0


def check(settings: Settings) -> list[Verdict]:
    """Every verdict; while any row is found it is asked again, and only rows that were there at every look count."""
    verdicts = _look(settings)
    for _ in range(LOOKS - 1):
        if not any(verdict.violations for verdict in verdicts):
            break
        time.sleep(PAUSE)
        verdicts = [_lasting(before, now) for before, now in zip(verdicts, _look(settings), strict=True)]
    return verdicts


def _look(settings: Settings) -> list[Verdict]:
    """Every verdict on one snapshot."""
    assert settings.database_url, "the services have been adopted"
    seen = outside.look(settings)
    found = invariants.all_violations(settings.database_url, seen.outside)
    return [
        Verdict(invariant=one, violations=found[one.name], reserve=_reserve(one.name, seen))
        for one in invariants.invariants()
    ]


def _lasting(before: Verdict, now: Verdict) -> Verdict:
    """What is found now and was found before."""
    known = {_identity(row) for row in before.violations}
    return replace(now, violations=[row for row in now.violations if _identity(row) in known])


def _identity(row: Violation) -> tuple[object, ...]:
    """Whose and which thing, whatever is wrong with it by now; the sum of all charges by how far it is off.

    Sums of the database's own are compared within one snapshot, and stay wrong while they grow. The provider's is read
    before it: on a trading house that difference comes and goes, and is another one each time.
    """
    return row.tenant_id, row.subject, difference(row.fault)


def difference(fault: str) -> tuple[Decimal, str] | None:
    """How far the sum of all charges is off from the provider's, and in what; None for any other fault."""
    sums = _SUMS.fullmatch(fault)
    return None if sums is None else (Decimal(sums["ours"]) - Decimal(sums["theirs"]), sums["currency"])


def _reserve(name: str, seen: outside.Seen) -> str | None:
    """Why an invariant that asks for lateness could not, or only in part, be judged."""
    if name not in LATENESS:
        return None
    since = seen.outside.awake_since
    if since is None:
        words = f"not known to be at work: {', '.join(seen.asleep) or 'the whole house'}"
    elif datetime.now(UTC) - since < LATENESS[name]:
        words = f"all parts are at work only since {since:%H:%M:%S} UTC"
    else:
        return None
    return f"judged in part ({words})" if name in IN_PART else f"not judged ({words})"


def _say_lines(verdicts: Sequence[Verdict]) -> None:
    """One line per invariant; what violates one goes to the side, so that the lines stay one each."""
    for verdict in verdicts:
        reserve = f"{verdict.reserve}: " if verdict.reserve else ""
        sentence = f"{reserve}{verdict.invariant.sentence}"
        _write(sys.stdout, f"{verdict.invariant.name:<6} {len(verdict.violations):>5}  {sentence}")
    for verdict in verdicts:
        for row in verdict.violations[:MOST_SHOWN]:
            _write(sys.stderr, f"{verdict.invariant.name}: {row.subject} {row.fault} (agency {row.tenant_id})")


def _say_json(verdicts: Sequence[Verdict]) -> None:
    found = [
        {
            "name": verdict.invariant.name,
            "sentence": verdict.invariant.sentence,
            "rows": len(verdict.violations),
            "reserve": verdict.reserve,
            "violations": [asdict(row) for row in verdict.violations[:MOST_SHOWN]],
        }
        for verdict in verdicts
    ]
    holds = not any(verdict.violations for verdict in verdicts)
    _write(sys.stdout, json.dumps({"holds": holds, "invariants": found}, default=str, indent=2))


def _write(where: TextIO, line: str) -> None:
    where.write(line + "\n")
