"""Halls, events and seats, made the way their owner would make them: through the API."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from db.ids import new_id
from tests.makers.callers import Caller

HALL = ("Parkett", "ABC", 10)


def seat_csv(rows: Iterable[str] = HALL[1], *, section: str = HALL[0], seats: int = HALL[2]) -> bytes:
    """A seat file: `seats` numbered seats in each row of one section."""
    lines = (f"{section},{row},{number}" for row in rows for number in range(1, seats + 1))
    return "\n".join(["section,row,seat", *lines, ""]).encode()


def a_venue(owner: Caller, *, csv: bytes | None = None, name: str = "Stadthalle") -> str:
    """A hall with three rows of ten seats, or with those of the file; its id."""
    body = {"name": name, "venue_type": "THEATER", "timezone": "Europe/Berlin"}
    venue_id: str = owner.made("/api/venues", body)["id"]
    answer = owner.upload(f"/api/venues/{venue_id}/seats/import", csv or seat_csv())
    assert answer.status_code == 200, answer.text
    return venue_id


def event_body(venue_id: str, *, starts_in_days: float = 60, title: str = "Faust", **more: Any) -> dict[str, Any]:
    """What a client sends to make an event of three hours."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=starts_in_days)
    return {
        "title": title,
        "event_type": "THEATER",
        "venue_id": venue_id,
        "start_datetime": start.isoformat(),
        "end_datetime": (start + timedelta(hours=3)).isoformat(),
        "timezone": "Europe/Berlin",
        **more,
    }


def an_event(owner: Caller, *, venue_id: str | None = None, **more: Any) -> dict[str, Any]:
    """A DRAFT event, in a hall of its own unless one is given."""
    event: dict[str, Any] = owner.made("/api/events", event_body(venue_id or a_venue(owner), **more))
    return event


def on_sale(owner: Caller, event_id: str) -> None:
    """Publish the event and open its sales."""
    owner.made(f"/api/events/{event_id}/publish")
    owner.made(f"/api/events/{event_id}/open-sales")


def owned(
    connection: psycopg.Connection[Any], event_id: str, *, seats: int, cost: Decimal = Decimal("20.00")
) -> list[str]:
    """Give the agency the first seats of the event in human order, past all papers and books; their ids.

    For tests that look at inventory only: there is no order, receipt or journal entry behind such a seat.
    """
    tenant_id = connection.execute("SELECT tenant_id FROM events WHERE id = %s", [event_id]).fetchone()
    assert tenant_id is not None
    supplier_id: UUID = new_id()
    connection.execute(
        """INSERT INTO suppliers (tenant_id, id, name, supplier_type, payment_terms)
           VALUES (%s, %s, 'Theater AG', 'VENUE_OWNER', 'NET_30')""",
        [tenant_id[0], supplier_id],
    )
    rows = connection.execute(
        """UPDATE event_seats SET ownership_status = 'OWNED', supplier_id = %s, cost = %s, purchase_price = %s
           WHERE id IN (SELECT id FROM event_seats WHERE event_id = %s ORDER BY sort_key LIMIT %s) RETURNING id, sort_key""",
        [supplier_id, cost, cost, event_id, seats],
    ).fetchall()
    return [str(seat_id) for seat_id, _ in sorted(rows, key=lambda row: row[1])]


def set_seats(
    connection: psycopg.Connection[Any], seat_ids: Iterable[str], *, status: str, held: str | None = None
) -> None:
    """Put seats into a status; `held` is an interval from now, such as '-1 second', for reservations."""
    connection.execute(
        "UPDATE event_seats SET status = %s, held_until = now() + %s::interval WHERE id = ANY(%s)",
        [status, held, [UUID(seat_id) for seat_id in seat_ids]],
    )
