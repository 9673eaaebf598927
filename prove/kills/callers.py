"""Callers who write down what was acknowledged to them, so that it can be looked for afterwards."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg import sql
from typing_extensions import override

from demo.caller import Caller, Json, Office

# Where a thing that was made lies, by the path it was made at; what was only accepted is an operation.
TABLES = {
    "/api/bookings": "bookings",
    "/api/customers": "customers",
    "/api/events": "events",
    "/api/purchase-orders": "purchase_orders",
    "/api/suppliers": "suppliers",
    "/api/venues": "venues",
}
LONGEST_CALL = 30.0


@dataclass
class Acknowledged:
    """A log of one JSON line for each 201 and 202: the table and the id of what must be there from then on."""

    file: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: str, answer: httpx2.Response) -> None:
        """Write down what an answer promised."""
        table = "operations" if answer.status_code == HTTPStatus.ACCEPTED else TABLES.get(path)
        if table is None or answer.status_code not in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
            return
        line = json.dumps({"at": time.time(), "table": table, "id": answer.json()["id"]})
        with self._lock, self.file.open("a") as log:
            log.write(line + "\n")

    def promised(self) -> dict[str, list[str]]:
        """Ids by table."""
        found: dict[str, list[str]] = {}
        for line in self.file.read_text().splitlines() if self.file.exists() else ():
            word = json.loads(line)
            found.setdefault(word["table"], []).append(word["id"])
        return found

    def lost(self, owner_url: str) -> tuple[int, list[str]]:
        """How many things were promised, and which of them are not there."""
        promised = self.promised()
        missing: list[str] = []
        with psycopg.connect(owner_url) as connection:
            for table, ids in promised.items():
                query = sql.SQL("SELECT i FROM unnest(%s::uuid[]) AS i EXCEPT SELECT id FROM {}")
                rows = connection.execute(query.format(sql.Identifier(table)), [ids]).fetchall()
                missing += [f"{table} {row[0]}" for row in rows]
        return sum(map(len, promised.values())), missing


@dataclass(frozen=True)
class LoggingCaller(Caller):
    """A caller whose acknowledged changes are written down, and whose answers without an excuse are counted."""

    log: Acknowledged | None = None
    faults: list[str] = field(default_factory=list)

    @override
    def _try(self, method: str, path: str, **more: Any) -> httpx2.Response | None:
        answer = super()._try(method, path, **more)
        if answer is None:
            return None
        if (
            answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            and answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE
        ):
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        if self.log is not None and method != "GET":
            self.log.note(path, answer)
        return answer


def caller(url: str, log: Acknowledged, *, email: str, password: str, faults: list[str]) -> LoggingCaller:
    """Somebody at one API, logged in."""
    http = httpx2.Client(
        base_url=url,
        timeout=httpx2.Timeout(LONGEST_CALL, connect=2.0),
        limits=httpx2.Limits(max_connections=50, max_keepalive_connections=10),
        trust_env=False,
    )
    office = Office()
    headers: Mapping[str, str] = Caller(http, office=office).as_person(email=email, password=password).headers
    return LoggingCaller(http, headers, office, log, faults)


def result(operation: Json) -> str:
    """How an operation ended: `succeeded`, or the code of its error."""
    return "succeeded" if operation["status"] == "succeeded" else str((operation["error"] or {}).get("code"))
