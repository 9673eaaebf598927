"""The invariants: what must hold in every agency at every moment, each as one SQL query for the rows that violate it.

Run as the auditor's role, who sees all and changes nothing. What lies outside of the database is handed in as settings
of the transaction: `allotment.provider_book`, `allotment.processes`, `allotment.awake_since` and `allotment.arrows`;
an empty one says that it is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from domain.booking import BOOKING, BOOKING_PAYMENT, PAYMENT, TICKET
from domain.purchasing import ORDER
from domain.refunds import REFUND
from domain.seating import EVENT, OWNERSHIP, SEAT, EventStatus
from domain.states import Machine

FOLDER = Path(__file__).parent
GROUPS = {
    "S": "Seats",
    "M": "Money",
    "P": "Purchasing and profit",
    "T": "Tickets",
    "A": "Audit",
    "X": "Agencies",
    "L": "Liveness",
    "B": "The books' ties",
}
_HEAD = re.compile(r"-- (?P<sentence>.+)\n-- Guard: (?P<guard>.+)\n(?P<query>(?:.|\n)+)")
# Every query here reads whole tables: room to add them up in memory.
_AT_ONCE = "SET LOCAL work_mem = '256MB'; SET LOCAL max_parallel_workers_per_gather = 1; SET LOCAL jit = off"
_ARROW = re.compile(r"    (\w+) --> (\w+): ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Invariant:
    """One thing that must hold: its sentence, what in the database guards it, and the query for what violates it."""

    name: str
    sentence: str
    guard: str
    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One violating row: whose, which thing, and what is wrong with it."""

    tenant_id: UUID | None
    subject: str
    fault: str


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What the database does not know: the provider's book, Temporal's running processes, since when the house is awake.

    None where it could not be found out. A book's line has `reference description currency captured refunded voided`.
    """

    provider_book: Sequence[Mapping[str, str]] | None = None
    processes: Sequence[str] | None = None
    awake_since: datetime | None = field(default=None)


@cache
def invariants() -> tuple[Invariant, ...]:
    """All of them, group by group."""
    order = list(GROUPS)
    files = sorted(FOLDER.glob("*.sql"), key=lambda file: (order.index(file.stem[0]), file.stem))
    return tuple(_read(file) for file in files)


@contextmanager
def audit(owner_url: str, outside: Outside, *, snapshot: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """One snapshot of the whole database as its auditor, with what lies outside at hand; another's, if it is named."""
    with psycopg.connect(owner_url, autocommit=True, application_name="allotment-oracle") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if snapshot is not None:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        auditor = sql.Identifier(f"{connection.info.dbname}_auditor")
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(auditor))
        connection.execute(_AT_ONCE)
        for name, value in _settings(outside).items():
            connection.execute("SELECT set_config(%s, %s, true)", (f"allotment.{name}", value))
        yield connection
        connection.execute("ROLLBACK")


def violations(connection: psycopg.Connection[Any], invariant: Invariant) -> list[Violation]:
    """The rows that violate it, in a stable order; none is the only pass."""
    query = f"SELECT tenant_id, subject, fault FROM ({invariant.query}) AS found ORDER BY tenant_id, subject, fault"
    with connection.cursor(row_factory=class_row(Violation)) as cursor:
        return cursor.execute(query).fetchall()


def all_violations(owner_url: str, outside: Outside) -> dict[str, list[Violation]]:
    """What each invariant finds, by its name: all on one snapshot, two asked at a time."""
    with audit(owner_url, outside) as first:
        (snapshot,) = first.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        with audit(owner_url, outside, snapshot=snapshot) as second, ThreadPoolExecutor(2) as askers:
            free = SimpleQueue[psycopg.Connection[Any]]()
            for connection in (first, second):
                free.put(connection)
            found = askers.map(lambda one: _ask(free, one), invariants())
            return {one.name: rows for one, rows in zip(invariants(), found, strict=True)}


def _ask(free: SimpleQueue[psycopg.Connection[Any]], invariant: Invariant) -> list[Violation]:
    connection = free.get()
    try:
        return violations(connection, invariant)
    finally:
        free.put(connection)


def _read(file: Path) -> Invariant:
    parts = _HEAD.fullmatch(file.read_text(encoding="utf-8"))
    assert parts is not None, f"{file.name} begins with its sentence and its guard"
    return Invariant(name=file.stem, sentence=parts["sentence"], guard=parts["guard"], query=parts["query"].strip())


def _settings(outside: Outside) -> dict[str, str]:
    return {
        "provider_book": ""
        if outside.provider_book is None
        else json.dumps([dict(one) for one in outside.provider_book]),
        "processes": "" if outside.processes is None else json.dumps(list(outside.processes)),
        "awake_since": "" if outside.awake_since is None else outside.awake_since.isoformat(),
        "arrows": json.dumps(arrows()),
    }


def arrows() -> list[tuple[str, str, str]]:
    """Every change of state that the rules allow: object, from, to."""
    machines: tuple[tuple[str, Machine[Any], str], ...] = (
        ("booking", BOOKING, ""),
        ("booking", BOOKING_PAYMENT, "payment "),
        ("ticket", TICKET, ""),
        ("payment", PAYMENT, ""),
        ("refund", REFUND, ""),
        ("purchase_order", ORDER, ""),
        ("event", EVENT, ""),
        ("event_seat", SEAT, ""),
        ("event_seat", OWNERSHIP, ""),
    )
    found = [
        (thing, prefix + before, prefix + after)
        for thing, machine, prefix in machines
        for before, after in _ARROW.findall(machine.diagram())
    ]
    # The clock's own arrows: an event that is over, and one whose end was moved after all.
    over = [("event", str(status), str(EventStatus.COMPLETED)) for status in EVENT.states]
    return [*found, *over, *((thing, after, before) for thing, before, after in over)]
