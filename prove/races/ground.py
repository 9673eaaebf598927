"""The ground of all races: a stand with two APIs, the crowd before its doors, and the judges that look behind them."""

from __future__ import annotations

import itertools
import json
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from demo.caller import ENDED, Caller, Json
from prove.races.clients import Answer, Ask
from prove.races.crowd import Crowd
from prove.races.tally import Tally
from stand import agency as agencies
from stand.agency import PASSWORD, Agency
from stand.plan import Plan
from stand.running import Stand, a_stand

OPERATION_SECONDS = 180.0
WINDOW = "PT15M"
GRACE_SECONDS = 1.0
# What Postgres writes into its log, and what a race counts it as.
LOGGED = {
    "deadlocks": b"ERROR:  deadlock detected",
    "ties": b"ERROR:  duplicate key value",
    "lock_timeouts": b"due to lock timeout",
    "statement_timeouts": b"due to statement timeout",
}


def plan(*, engine: str, apis: int = 2, **more: object) -> Plan:
    """Two APIs and a grace of a second, so that late money is late soon."""
    return Plan(engine=engine, apis=apis, grace=f"PT{GRACE_SECONDS:.0f}S", **more)  # type: ignore[arg-type]


@dataclass
class Ground:
    """Where the races are run."""

    stand: Stand
    crowd: Crowd
    dice: random.Random
    http: httpx2.Client
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def agency(self, *, window: str = WINDOW) -> Agency:
        """An agency of a race's own, whose reservations last so long."""
        name = f"Agency {next(self._numbers)} {secrets.token_hex(4)}"
        email = agencies.create(self.stand.addresses.app_database_url, name=name)
        agency = Agency(Caller(self.http).as_person(email=email, password=PASSWORD))
        agency.caller.put("/api/settings", {"reservation_window": window})
        return agency

    def ended(self, agency: Agency, operation_ids: Sequence[str]) -> dict[str, Json]:
        """The operations once they have ended, by their ids; those that do not are given as they stand."""
        found: dict[str, Json] = {}
        give_up = time.monotonic() + OPERATION_SECONDS
        left = list(dict.fromkeys(operation_ids))
        while left and time.monotonic() < give_up:
            for operation in self.read(agency, [f"/api/operations/{one}" for one in left]):
                found[operation["id"]] = operation
            left = [one for one in left if found[one]["status"] not in ENDED]
            time.sleep(0.3 if left else 0)
        return found

    def read(self, agency: Agency, paths: Sequence[str]) -> list[Json]:
        """What the API says of these things now. Raises LookupError when it says nothing."""
        answers = self.crowd.volley([Ask(method="GET", path=path, token=token_of(agency)) for path in paths])
        if bad := [answer for answer in answers if answer.status != 200]:
            raise LookupError(f"{len(bad)} of {len(paths)} could not be read: {bad[0].said} {bad[0].content[:200]!r}")
        return [answer.json for answer in answers]

    def verify(self) -> list[str]:
        """The oracle's violating rows, a sentence each."""
        said = self.stand.run("verify", "--json")
        try:
            verdicts = json.loads(said.stdout)["invariants"]
        except ValueError:
            return [f"the oracle gave no answer: {said.stderr[-500:]}"]
        return [
            f"{one['name']}: {row['subject']} {row['fault']}"
            for one in verdicts
            for row in [
                *one["violations"],
                *[{"subject": "and", "fault": "more"}] * (one["rows"] - len(one["violations"])),
            ]
        ]

    @property
    def database_log(self) -> Path:
        """Where Postgres writes."""
        return self.stand.home.log("postgres")

    def log_mark(self) -> int:
        """How far the database's log has got."""
        return self.database_log.stat().st_size

    def logged(self, since: int) -> dict[str, int]:
        """How often the database had to step in since then."""
        with self.database_log.open("rb") as log:
            log.seek(since)
            text = log.read()
        return {name: text.count(words) for name, words in LOGGED.items()}


@contextmanager
def a_ground(
    plan: Plan, *, clients: int, seed: int, processes: int = 4, doors: slice = slice(None)
) -> Iterator[Ground]:
    """A stand in a home of its own with its crowd before those of its doors."""
    with ExitStack() as stack:
        stand = stack.enter_context(a_stand(plan))
        yield stack.enter_context(on(stand, clients=clients, seed=seed, processes=processes, doors=doors))


@contextmanager
def on(stand: Stand, *, clients: int, seed: int, processes: int = 4, doors: slice = slice(None)) -> Iterator[Ground]:
    """A crowd before those doors of a stand that is up."""
    urls = stand.api_urls[doors]
    with (
        Crowd(urls, clients=clients, processes=processes) as crowd,
        httpx2.Client(base_url=urls[0], timeout=60) as http,
    ):
        yield Ground(stand, crowd, random.Random(seed), http)


def token_of(agency: Agency) -> str:
    """The secret the agency's caller shows."""
    return agency.caller.headers["Authorization"].partition(" ")[2]


def operations_of(answers: Sequence[Answer]) -> list[str]:
    """The ids of the operations that were accepted, one per yes."""
    return [answer.json["id"] for answer in answers if answer.status == 202]


def succeeded(operations: Sequence[Json]) -> list[Json]:
    """Those that did."""
    return [operation for operation in operations if operation["status"] == "succeeded"]


def errors(operations: Sequence[Json]) -> list[str]:
    """The codes of those that failed; the status of those that never ended."""
    return [
        str((operation["error"] or {}).get("code", operation["status"]))
        for operation in operations
        if operation["status"] != "succeeded"
    ]


def refused_cleanly(tally: Tally, operations: Sequence[Json], *, clean: Sequence[str]) -> None:
    """Every operation that did not succeed failed with one of these codes."""
    for code in errors(operations):
        tally.count(f"operations refused {code}")
        if code not in clean:
            tally.fault(f"an operation ended with {code}")
