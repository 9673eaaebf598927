"""What everybody in the demo shares: who acts, what has been made so far, and what turned out to hold or not."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from demo.caller import Caller, Json
from demo.inputs import ZONE, Inputs
from demo.screen import Screen


class Checks:
    """Everything that was derived twice, or expected, and what came of it."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._lock = threading.Lock()
        self.made = 0
        self.failed: list[str] = []

    def same(self, words: str, **derived: object) -> None:
        """Several derivations of one thing, by what they come from, are equal; says so either way."""
        good = len(set(map(str, derived.values()))) == 1
        found = " = " if good else " is not "
        told = found.join(f"{value} ({source.replace('_', ' ')})" for source, value in derived.items())
        self._note(f"{words}: {told}", good=good)
        self._screen.verdict(f"{words}: {told}", good=good)

    def expect(self, words: str, found: object, *, wanted: object) -> None:
        """Something went as it should; says so only when it did not."""
        good = found == wanted
        self._note(f"{words}: {found}, not {wanted}", good=good)
        if not good:
            self._screen.verdict(f"{words}: {found}, not {wanted}", good=False)

    def _note(self, words: str, *, good: bool) -> None:
        with self._lock:
            self.made += 1
            if not good:
                self.failed.append(words)


@dataclass
class Month:
    """A month of trading as it goes; ids are kept by the keys of the example files."""

    inputs: Inputs
    screen: Screen
    checks: Checks
    buyer: Caller
    finance: Caller
    boxoffice: Caller
    shop: Caller
    began: datetime
    venues: dict[str, str] = field(default_factory=dict)
    suppliers: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, Json] = field(default_factory=dict)
    """A delivery's result by its reference."""
    paid_out: list[Json] = field(default_factory=list)
    customers: dict[str, str] = field(default_factory=dict)
    """By mail address."""
    aside: dict[str, list[str]] = field(default_factory=dict)
    """Seats meant for a basket whose money comes late, by the basket's number."""
    bookings: dict[str, Json] = field(default_factory=dict)
    """As first reserved, by the basket's number."""
    lost_races: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ago(self, days: int) -> str:
        """Half past ten so many days ago, where the agency is."""
        day = self.began.astimezone(ZONE).date() - timedelta(days=days)
        return stamp(datetime.combine(day, time(10, 30), ZONE))


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
