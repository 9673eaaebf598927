"""The house of the kills: one stand for all cells, its desks, its engine room, and how it is healed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx2

from db import invariants
from oracle import outside
from prove.kills.callers import Acknowledged, LoggingCaller, caller
from prove.kills.desk import SEATS, Desk
from prove.kills.engine import EngineRoom
from prove.kills.signals import SignalBox
from settings import Settings
from stand import agency as agencies
from stand.agency import PASSWORD, Agency
from stand.plan import Plan
from stand.running import Stand

LOGIN_LASTS = 1800.0
"""Seconds after which a desk logs in again; a token lives for an hour."""
OPENING = 4
"""Desks opened at a time."""
HEALS_WITHIN = 180.0


def a_plan(*, engine: str, detours: Mapping[str, Mapping[str, int]] | None = None) -> Plan:
    """Two APIs and two workers that pass word of where their processes are."""
    names = ("worker-1", "worker-2", "worker-documents")
    return Plan(
        engine=engine,
        apis=2,
        workers=2,
        grace="PT1S",
        commands=dict.fromkeys(names, "prove.kills.worker"),
        detours=detours or {},
    )


class NotHealed(Exception):
    """The house did not come back by itself."""


@dataclass
class House:
    """A running stand and everything the harness holds in it."""

    stand: Stand
    box: SignalBox
    engine: EngineRoom
    log: Acknowledged
    faults: list[str] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    _owned: list[tuple[str, Desk]] = field(default_factory=list)
    _logged_in_at: float = 0.0

    @property
    def owner_url(self) -> str:
        """The database as its owner."""
        return self.stand.addresses.database_url

    def open_desks(self, count: int, *, seats: int = SEATS) -> list[Desk]:
        """So many more agencies with seats on sale, each logged in at every API."""
        first = len(self._owned)
        app_url = self.stand.addresses.app_database_url
        emails = [agencies.create(app_url, name=f"Desk {first + number + 1}") for number in range(count)]
        with ThreadPoolExecutor(OPENING) as pool:
            opened = list(pool.map(lambda email: self._open(email, seats), emails))
        self._owned += zip(emails, opened, strict=True)
        self._logged_in_at = self._logged_in_at or time.monotonic()
        return opened

    def _open(self, email: str, seats: int) -> Desk:
        callers = self._callers(email)
        return Desk(Agency(callers[0]), self.engine, self.owner_url, callers).open(seats=seats)

    def _callers(self, email: str) -> tuple[LoggingCaller, ...]:
        return tuple(
            caller(url, self.log, email=email, password=PASSWORD, faults=self.faults) for url in self.stand.api_urls
        )

    def stay_logged_in(self) -> None:
        """Give every desk new tokens before the old ones end."""
        if time.monotonic() - self._logged_in_at > LOGIN_LASTS:
            for email, desk in self._owned:
                desk.hang_up()
                desk.callers = self._callers(email)
                desk.speak_to(0)
            self._logged_in_at = time.monotonic()

    def close(self) -> None:
        """Hang up."""
        for _, desk in self._owned:
            desk.hang_up()
        self.engine.close()

    def is_green(self) -> bool:
        """Whether every API says that all its parts are there."""
        return all(_status(f"{url}/readyz") == HTTPStatus.OK for url in self.stand.api_urls)

    def heal(self, *, seconds: float = HEALS_WITHIN) -> float:
        """Wait until all is green; how many seconds it took. Raises NotHealed."""
        began = time.monotonic()
        while not self.is_green():
            if time.monotonic() - began > seconds:
                raise NotHealed(f"not green after {seconds:.0f} s")
            time.sleep(0.1)
        return time.monotonic() - began

    def violations(self) -> set[str]:
        """What the oracle sees in one look, a line each."""
        where = self.stand.addresses
        settings = Settings(
            home=self.stand.home.path,
            database_url=where.database_url,
            temporal_address=where.temporal_address,
            temporal_namespace=where.temporal_namespace,
            provider_url=where.provider_url,
        )
        found = invariants.all_violations(where.database_url, outside.read(settings))
        return {f"{name}: {row.subject} {row.fault}" for name, rows in found.items() for row in rows}


def _status(url: str) -> int:
    with suppress(httpx2.TransportError):
        return httpx2.get(url, timeout=3.0, trust_env=False).status_code
    return 0


@contextmanager
def a_house(stand: Stand, *, desks: int, log: Path) -> Iterator[House]:
    """The stand, brought up, with its desks open; what the stand becomes afterwards is the caller's business."""
    stand.up()
    with SignalBox(stand.home.run) as box:
        house = House(stand=stand, box=box, engine=EngineRoom(stand.addresses), log=Acknowledged(log))
        try:
            house.desks = house.open_desks(desks)
            yield house
        finally:
            house.close()
