"""What a race counts: answers by what they said, how long they took, and every single thing that came out wrong."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from prove.races.clients import Answer

Line = dict[str, Any]

MOST_SHOWN = 10


@dataclass
class Tally:
    """The figures of one race."""

    rounds: int = 0
    said: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    faults: list[str] = field(default_factory=list)

    def heard(self, answers: Sequence[Answer], *, clean: Collection[str]) -> None:
        """Count answers; whatever is not among the clean ones is wrong."""
        for answer in answers:
            self.said[answer.said] += 1
            self.seconds.append(answer.seconds)
            if answer.said not in clean:
                self.fault(f"a client was told {answer.said or 'nothing'}: {answer.content[:200].decode()}")

    def count(self, what: str, number: int = 1) -> None:
        """One more of what the race is about."""
        self.counted[what] += number

    def expect(self, found: object, wanted: object, what: str) -> None:
        """Wrong unless the two are equal."""
        if found != wanted:
            self.fault(f"{what}: {str(found)[:200]}, not {str(wanted)[:200]}")

    def fault(self, words: str, number: int = 1) -> None:
        """Something came out wrong."""
        self.wrong += number
        if len(self.faults) < MOST_SHOWN:
            self.faults.append(words)

    @property
    def unanswered(self) -> int:
        """Answers of 5xx, and requests that nobody answered."""
        return sum(number for said, number in self.said.items() if said[:1] in ("5", "0"))

    def line(self) -> Line:
        """As the results keep it."""
        return {
            "rounds": self.rounds,
            "requests": sum(self.said.values()),
            "answers": dict(sorted(self.said.items())),
            "counted": dict(self.counted),
            "server_errors": self.unanswered,
            "p50_ms": quantile(self.seconds, 50),
            "p99_ms": quantile(self.seconds, 99),
            "faults": self.faults,
        }


def quantile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds."""
    if len(seconds) < 2:
        return round(1000 * sum(seconds), 1)
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1], 1)
