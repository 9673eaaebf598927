"""Venues and their seats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db.ids import new_id
from db.transaction import Tx
from domain.labels import seat_key
from domain.places import SeatLine


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueFacts:
    """What a client may say about a venue; the address is a text or a few named lines."""

    name: str
    venue_type: str
    timezone: str
    address: str | dict[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Venue(VenueFacts):
    """A venue's row."""

    id: UUID
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """One seat of a hall; `sort_key` is its place in human order, unique within the hall."""

    id: UUID
    section: str
    row_label: str
    seat_number: str
    seat_type: str
    x: Decimal | None
    y: Decimal | None
    sort_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import did to the seats it named."""

    created: int
    updated: int
    unchanged: int


STANDARD = "STANDARD"
VENUE = "id, name, venue_type, timezone, address, created_at"
SEAT = "id, section, row_label, seat_number, seat_type, x, y, sort_key"


def add(tx: Tx, facts: VenueFacts) -> UUID:
    """Make a venue."""
    venue_id = new_id()
    tx.run(
        "INSERT INTO venues (tenant_id, id, name, venue_type, timezone, address) VALUES (%s, %s, %s, %s, %s, %s)",
        (tx.tenant_id, venue_id, facts.name, facts.venue_type, facts.timezone, _json(facts.address)),
    )
    return venue_id


def find(tx: Tx, venue_id: UUID) -> Venue:
    """One venue of this agency; LookupError when there is none."""
    return tx.one(f"SELECT {VENUE} FROM venues WHERE id = %s", (venue_id,), into=Venue)


def listed(tx: Tx, *, q: str | None, after: UUID | None, limit: int) -> list[Venue]:
    """A page of venues, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {VENUE} FROM venues
            WHERE (%(q)s::text IS NULL OR strpos(lower(name), lower(%(q)s)) > 0)
              AND (%(after)s::uuid IS NULL OR id < %(after)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"q": q, "after": after, "limit": limit + 1},
        into=Venue,
    )


def hold_layout(tx: Tx, venue_id: UUID) -> bool:
    """Keep the hall's seats as they are until the transaction ends; False when this agency has no such venue."""
    return tx.value("SELECT 1 FROM venues WHERE id = %s FOR SHARE", (venue_id,)) is not None


def take_layout(tx: Tx, venue_id: UUID) -> None:
    """Be the only one who changes the hall's seats until the transaction ends."""
    tx.run("SELECT 1 FROM venues WHERE id = %s FOR UPDATE", (venue_id,))


def put_seats(tx: Tx, venue_id: UUID, lines: Sequence[SeatLine]) -> Imported:
    """Create or update the named seats, any number of them, in one statement; what a line leaves out stays as it is.

    Each seat is found by the unique index over its labels and never by a join, which a planner without fresh figures
    turns into a quadratic one.
    """
    typed = [line for line in lines if line.seat_type is not None]
    untyped = [line for line in lines if line.seat_type is None]
    done = [_put(tx, venue_id, part, keeps_type=part is untyped) for part in (typed, untyped) if part]
    created, updated = sum(is_new for is_new in chain(*done)), sum(not is_new for is_new in chain(*done))
    return Imported(created=created, updated=updated, unchanged=len(lines) - created - updated)


def _put(tx: Tx, venue_id: UUID, lines: Sequence[SeatLine], *, keeps_type: bool) -> list[bool]:
    """Whether each seat that changed is a new one; PostgreSQL marks a row it has only updated with an xmax."""
    return tx.values(
        """INSERT INTO venue_seats AS s (tenant_id, id, venue_id, section, row_label, seat_number, sort_key, seat_type, x, y)
           SELECT %(tenant)s, id, %(venue)s, section, row_label, seat_number, sort_key, seat_type, x, y
           FROM unnest(%(ids)s::uuid[], %(sections)s::text[], %(rows)s::text[], %(numbers)s::text[], %(keys)s::text[],
                       %(types)s::text[], %(x)s::numeric[], %(y)s::numeric[])
               AS g(id, section, row_label, seat_number, sort_key, seat_type, x, y)
           ON CONFLICT (tenant_id, venue_id, section, row_label, seat_number) DO UPDATE
           SET seat_type = CASE WHEN %(keeps_type)s THEN s.seat_type ELSE EXCLUDED.seat_type END,
               x = coalesce(EXCLUDED.x, s.x), y = coalesce(EXCLUDED.y, s.y), active = true
           WHERE (s.seat_type, s.x, s.y, s.active) IS DISTINCT FROM
                 (CASE WHEN %(keeps_type)s THEN s.seat_type ELSE EXCLUDED.seat_type END,
                  coalesce(EXCLUDED.x, s.x), coalesce(EXCLUDED.y, s.y), true)
           RETURNING xmax = 0""",
        {"tenant": tx.tenant_id, "venue": venue_id, "keeps_type": keeps_type, **_columns(lines)},
    )


def seats(tx: Tx, venue_id: UUID, *, after: str | None, limit: int) -> list[Seat]:
    """A page of the hall's active seats in human order, one more than `limit`; `after` is a sort key."""
    return tx.all(
        f"""SELECT {SEAT} FROM venue_seats
            WHERE tenant_id = %(tenant)s AND venue_id = %(venue)s AND active
              AND (%(after)s::text IS NULL OR sort_key > %(after)s)
            ORDER BY sort_key LIMIT %(limit)s""",
        {"tenant": tx.tenant_id, "venue": venue_id, "after": after, "limit": limit + 1},
        into=Seat,
    )


def _columns(lines: Sequence[SeatLine]) -> dict[str, list[Any]]:
    return {
        "ids": [new_id() for _ in lines],
        "sections": [line.section for line in lines],
        "rows": [line.row for line in lines],
        "numbers": [line.seat for line in lines],
        "keys": [seat_key(line.section, line.row, line.seat) for line in lines],
        "types": [line.seat_type or STANDARD for line in lines],
        "x": [line.x for line in lines],
        "y": [line.y for line in lines],
    }


def _json(address: str | dict[str, Any] | None) -> Jsonb | None:
    return None if address is None else Jsonb(address)


def refresh_figures(tx: Tx) -> None:
    """Tell the planner how many seats there are now; until it knows, it joins large halls as if they were empty."""
    tx.run("SELECT refresh_seat_figures()")
