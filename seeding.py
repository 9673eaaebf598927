"""The demo agencies: two tenants and their logins, then one small unsold event made through the API as anybody would."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from activities import access as steps
from db import seeding
from db.transaction import Database
from domain.states import Refused
from settings import Settings, current

PASSWORD = "allotment-demo"  # noqa: S105 -- the demo's public password, as the README prints it
AGENCIES = (
    ("Parkside Tickets", "EUR", "Europe/Berlin", "parkside.example", ("owner", "buyer", "finance", "boxoffice")),
    ("Rival Tickets", "USD", "America/New_York", "rival.example", ("owner",)),
)
ROWS, SEATS = "ABCDE", 12
PATIENCE = 60.0


def main() -> None:
    """Make what is missing of the demo; running it again changes nothing."""
    settings = current()
    with Database(str(settings.app_database_url), size=2, name="seed") as database:
        for name, currency, timezone, domain, roles in AGENCIES:
            tenant_id = steps.create_tenant(database, name=name, currency=currency, timezone=timezone)
            for role in roles:
                _add_login(database, tenant_id, role=role, email=f"{role}@{domain}")
        with database.tenantless() as tx:
            if seeding.done(tx):
                return
        _make_event(settings)
        with database.tenantless() as tx:
            seeding.mark_done(tx)


def _add_login(database: Database, tenant_id: UUID, *, role: str, email: str) -> None:
    with database.transaction(tenant_id) as tx:
        try:
            steps.add_user(tx, email=email, name=role.capitalize(), role=role, password=PASSWORD)
        except Refused as refused:
            if refused.code != "email_taken":
                raise


def _make_event(settings: Settings) -> None:
    """A small hall with one event at Parkside; what an interrupted seeding has left is found and gone on with."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{settings.port}/api", timeout=30, trust_env=False) as http:
        _log_in(http)
        venue = _found_or_made(
            http,
            "/venues",
            {"name": "Parkside Studio", "venue_type": "THEATER", "timezone": "Europe/Berlin"},
            name="name",
        )
        csv = "section,row,seat\n" + "".join(f"Stalls,{row},{seat}\n" for row in ROWS for seat in range(1, SEATS + 1))
        files = {"file": ("seats.csv", csv.encode(), "text/csv")}
        answer = http.post(f"/venues/{venue['id']}/seats/import", files=files)
        answer.raise_for_status()
        _found_or_made(
            http,
            "/events",
            {
                "title": "An Evening at the Studio",
                "event_type": "THEATER",
                "venue_id": venue["id"],
                "start_datetime": _in_days(45, hour=18),
                "end_datetime": _in_days(45, hour=21),
                "timezone": "Europe/Berlin",
            },
            name="title",
        )


def _log_in(http: httpx2.Client) -> None:
    """As Parkside's owner, as soon as the API answers."""
    give_up = time.monotonic() + PATIENCE
    form = {"grant_type": "password", "username": "owner@parkside.example", "password": PASSWORD}
    while True:
        try:
            answer = http.post("/auth/token", data=form)
            answer.raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)
        else:
            http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            return


def _found_or_made(http: httpx2.Client, path: str, body: dict[str, Any], *, name: str) -> dict[str, Any]:
    """The thing of this name. A key alone would not do: it is forgotten after a day, and tomorrow's dates are others."""
    answer = http.get(path, params={"q": body[name]})
    answer.raise_for_status()
    known: list[dict[str, Any]] = [one for one in answer.json()["data"] if one[name] == body[name]]
    return known[0] if known else _post(http, path, body)


def _post(http: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(path, json=body, headers={"Idempotency-Key": f"demo {path}"})
    if answer.status_code != httpx2.codes.CREATED:
        sys.exit(f"seeding: {path} answered {answer.status_code}: {answer.text[:300]}")
    made: dict[str, Any] = answer.json()
    return made


def _in_days(days: int, *, hour: int) -> str:
    """An hour some days from today in UTC, so that a repeated seeding asks for the same."""
    today = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=days)).isoformat().replace("+00:00", "Z")
