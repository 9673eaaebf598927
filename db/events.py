"""Events: their rows, the status people see, and how many of their seats are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from db import labels
from db.ids import new_id
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFacts:
    """What a client may say about an event; `tax_rate` is a ratio with 4 decimals."""

    title: str
    event_type: str
    venue_id: UUID
    start_at: datetime
    end_at: datetime
    timezone: str
    currency: str
    tax_rate: Decimal
    description: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(EventFacts):
    """An event's row; `stored` is its own status, `status` what people see of it."""

    id: UUID
    stored: str
    status: str
    version: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Availability:
    """How many of an event's seats are what; the five after `owned` add up to it."""

    event_id: UUID
    total: int
    not_owned: int
    owned: int
    available: int
    held: int
    reserved: int
    sold: int
    blocked: int
    returned: int


FACTS = "title, event_type, venue_id, start_at, end_at, timezone, currency, tax_rate, description"

# The twin of domain.seating.event_status, which a truth-table test compares.
STATUS = """CASE WHEN e.end_at <= now() THEN 'COMPLETED'
     WHEN e.status = 'ON_SALE'
      AND EXISTS (SELECT FROM event_seats s WHERE s.tenant_id = e.tenant_id AND s.event_id = e.id
                  AND s.ownership_status = 'OWNED')
      AND NOT EXISTS (SELECT FROM event_seats s WHERE s.tenant_id = e.tenant_id AND s.event_id = e.id
                      AND s.ownership_status = 'OWNED' AND s.status <> 'SOLD') THEN 'SOLD_OUT'
     ELSE e.status END"""

COLUMNS = f"id, {FACTS}, e.status AS stored, {STATUS} AS status, version, created_at"


def add(tx: Tx, facts: EventFacts) -> UUID:
    """Make a DRAFT event without seats."""
    event_id = new_id()
    tx.run(
        f"INSERT INTO events (tenant_id, id, {FACTS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (tx.tenant_id, event_id, *_values(facts)),
    )
    labels.name(tx, object="event", subject_id=event_id, label=facts.title)
    return event_id


def change(tx: Tx, event_id: UUID, facts: EventFacts) -> None:
    """Replace what is known of it; reports of the past keep the title it had then."""
    assignments = ", ".join(f"{column} = %s" for column in FACTS.split(", "))
    tx.run(
        f"UPDATE events SET {assignments}, version = version + 1 WHERE tenant_id = %s AND id = %s",
        (*_values(facts), tx.tenant_id, event_id),
    )
    labels.name(tx, object="event", subject_id=event_id, label=facts.title)


def move(tx: Tx, event_id: UUID, *, status: str) -> None:
    """Store another status."""
    tx.run(
        "UPDATE events SET status = %s, version = version + 1 WHERE tenant_id = %s AND id = %s",
        (status, tx.tenant_id, event_id),
    )


def find(tx: Tx, event_id: UUID) -> Event:
    """One event of this agency; LookupError when there is none."""
    return tx.one(
        f"SELECT {COLUMNS} FROM events e WHERE tenant_id = %s AND id = %s", (tx.tenant_id, event_id), into=Event
    )


def take(tx: Tx, event_id: UUID) -> Event:
    """The event, its row locked until the transaction ends."""
    tx.run("SELECT 1 FROM events WHERE tenant_id = %s AND id = %s FOR NO KEY UPDATE", (tx.tenant_id, event_id))
    return find(tx, event_id)


def listed(
    tx: Tx,
    *,
    status: Sequence[str] | None,
    starts_from: datetime | None,
    starts_before: datetime | None,
    q: str | None,
    after: UUID | None,
    limit: int,
) -> list[Event]:
    """A page of events, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT * FROM (SELECT {COLUMNS} FROM events e
                WHERE tenant_id = %(tenant)s
                  AND (%(from)s::timestamptz IS NULL OR start_at >= %(from)s)
                  AND (%(before)s::timestamptz IS NULL OR start_at < %(before)s)
                  AND (%(q)s::text IS NULL OR strpos(lower(title), lower(%(q)s)) > 0)
                  AND (%(after)s::uuid IS NULL OR id < %(after)s)) AS seen
            WHERE %(status)s::text[] IS NULL OR status = ANY(%(status)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {
            "tenant": tx.tenant_id,
            "status": None if status is None else [str(one) for one in status],
            "from": starts_from,
            "before": starts_before,
            "q": q,
            "after": after,
            "limit": limit + 1,
        },
        into=Event,
    )


def drafts_at(tx: Tx, venue_id: UUID) -> list[UUID]:
    """The events at this venue that are still being made, their rows locked in id order."""
    return tx.values(
        """SELECT id FROM events WHERE tenant_id = %s AND venue_id = %s AND status = 'DRAFT'
           ORDER BY id FOR NO KEY UPDATE""",
        (tx.tenant_id, venue_id),
    )


def availability(tx: Tx, event_id: UUID) -> Availability:
    """Counts by the database's clock: a reservation whose time is over is free again."""
    return tx.one(
        """SELECT %(event)s::uuid AS event_id, count(*) AS total,
               count(*) FILTER (WHERE ownership_status = 'NOT_OWNED') AS not_owned,
               count(*) FILTER (WHERE ownership_status = 'OWNED') AS owned,
               count(*) FILTER (WHERE ownership_status = 'OWNED'
                   AND (status = 'AVAILABLE' OR status = 'RESERVED' AND held_until <= now())) AS available,
               count(*) FILTER (WHERE ownership_status = 'OWNED' AND status = 'HELD') AS held,
               count(*) FILTER (WHERE ownership_status = 'OWNED'
                   AND status = 'RESERVED' AND held_until > now()) AS reserved,
               count(*) FILTER (WHERE ownership_status = 'OWNED' AND status = 'SOLD') AS sold,
               count(*) FILTER (WHERE ownership_status = 'OWNED' AND status = 'BLOCKED') AS blocked,
               count(*) FILTER (WHERE ownership_status = 'RETURNED_TO_SUPPLIER') AS returned
           FROM event_seats WHERE tenant_id = %(tenant)s AND event_id = %(event)s""",
        {"tenant": tx.tenant_id, "event": event_id},
        into=Availability,
    )


def _values(facts: EventFacts) -> tuple[object, ...]:
    return tuple(getattr(facts, column) for column in FACTS.split(", "))
