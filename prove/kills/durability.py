"""Can the harness see loss? The same sales, the same death of Postgres, with commits that wait for the disk and with some that do not."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httpx2
import psycopg
from psycopg import sql

from prove.kills import victims
from prove.kills.callers import Acknowledged
from prove.kills.desk import Desk
from prove.kills.engine import EngineRoom
from prove.kills.house import House
from prove.kills.recovery import BETWEEN
from prove.kills.signals import SignalBox
from stand.plan import Plan
from stand.running import Stand, a_stand

MODES = ("on", "off")
CALLERS, BOOKED = 6, 400
"""People who book at once, and how many bookings are acknowledged before the death."""
ROUNDS, SEATS = 3, 3000
"""Each round twice, once a mode; seats for all of them, so that everybody still books when Postgres dies."""
BACK_WITHIN, BOOKED_WITHIN = 120.0, 60.0


def controls() -> list[dict[str, Any]]:
    """For each way to commit: how many bookings were acknowledged, and how many of them were lost."""
    with a_stand(Plan(engine="dev")) as stand, SignalBox(stand.home.run) as box:
        log = Acknowledged(stand.home.path / "made.jsonl")
        house = House(stand=stand, box=box, engine=EngineRoom(stand.addresses), log=log)
        (desk,) = house.open_desks(1, seats=SEATS)
        try:
            return [_hammered(house, desk, mode) for mode in MODES]
        finally:
            house.close()


def seen(lines: list[dict[str, Any]]) -> bool:
    """Whether loss is seen where there is some, and none where there is none."""
    lost = {str(line["synchronous_commit"]): int(line["lost"]) for line in lines}
    return lost["on"] == 0 and lost["off"] > 0


def _hammered(house: House, desk: Desk, mode: str) -> dict[str, Any]:
    acknowledged, missing = 0, 0
    for _ in range(ROUNDS):
        _commit_by(house.stand, mode)
        _hammer(house, desk)
        promised, lost = house.log.lost(_back(house.stand))
        acknowledged, missing = acknowledged + promised, missing + len(lost)
        house.log.file.unlink(missing_ok=True)
    _commit_by(house.stand, "on")
    return {"synchronous_commit": mode, "kills": ROUNDS, "acknowledged": acknowledged, "lost": missing}


def _commit_by(stand: Stand, mode: str) -> None:
    """What the application's role does from its next connection on, which is now."""
    where = stand.addresses
    role = str(psycopg.conninfo.conninfo_to_dict(where.app_database_url)["user"])
    with psycopg.connect(where.database_url, autocommit=True) as connection:
        statement = sql.SQL("ALTER ROLE {} SET synchronous_commit = {}")
        connection.execute(statement.format(sql.Identifier(role), sql.Literal(mode)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])


def _hammer(house: House, desk: Desk) -> None:
    """Book as fast as it is taken, and kill Postgres in the middle of it."""
    stop, booked = threading.Event(), threading.Semaphore(0)
    house.log.file.unlink(missing_ok=True)
    with ThreadPoolExecutor(CALLERS) as pool:
        people = [pool.submit(_book, house.log, desk, stop, booked) for _ in range(CALLERS)]
        try:
            _wait_for(booked)
            victims.kill(house.stand, ["postgres"])
        finally:
            stop.set()
    for one in people:
        one.result()


def _wait_for(booked: threading.Semaphore) -> None:
    deadline = time.monotonic() + BOOKED_WITHIN
    for _ in range(BOOKED):
        if not booked.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TimeoutError(f"fewer than {BOOKED} bookings were acknowledged in {BOOKED_WITHIN:.0f} s")


def _book(log: Acknowledged, desk: Desk, stop: threading.Event, booked: threading.Semaphore) -> None:
    """Each by one request, without a second try: what is not acknowledged may be there or not."""
    http, headers = desk.caller.http, desk.caller.headers
    known = {"customer_id": desk.customer_id, "event_id": desk.event_id}
    while not stop.is_set():
        with suppress(httpx2.TransportError):
            key = {"Idempotency-Key": desk.agency.named("made")}
            answer = http.post("/api/bookings", json={**known, "seats": desk.take_seats(1)}, headers={**headers, **key})
            log.note("/api/bookings", answer)
            if answer.status_code == HTTPStatus.CREATED:
                booked.release()


def _back(stand: Stand) -> str:
    """The owner's way in, once Postgres takes questions again."""
    url = stand.addresses.database_url
    deadline = time.monotonic() + BACK_WITHIN
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
            return url
        time.sleep(BETWEEN)
    raise TimeoutError("Postgres does not come back")
