"""Event seats as sales take and free them, with the tickets that live and die on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db import history
from db.transaction import Tx

LIVE = "('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """An event seat as a sale sees it, with the ticket that lives on it."""

    id: UUID
    section: str
    status: str
    ownership_status: str
    held_until: datetime | None
    supplier_id: UUID | None
    cost: Decimal | None
    free: bool
    live_booking_id: UUID | None


def lock_seats(tx: Tx, seat_ids: Sequence[UUID]) -> None:
    """Lock seats in id order, as everybody does who takes several; what was read of them before may be over."""
    tx.run(
        "SELECT FROM event_seats WHERE tenant_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        (tx.tenant_id, list(seat_ids)),
    )


def lock_seats_of(tx: Tx, query: str, values: Mapping[str, Any]) -> None:
    """The same for the seats that a query names (`tenant` among its values), in one round trip."""
    tx.run(
        f"SELECT FROM event_seats WHERE tenant_id = %(tenant)s AND id IN ({query}) ORDER BY id FOR NO KEY UPDATE",
        values,
    )


def take_seats(tx: Tx, booking_id: UUID) -> list[Seat]:
    """The seats of a booking's tickets, locked in id order, each with the booking whose live ticket it carries."""
    of_booking = "SELECT event_seat_id FROM tickets WHERE tenant_id = %(tenant)s AND booking_id = %(booking)s"
    which = {"tenant": tx.tenant_id, "booking": booking_id}
    lock_seats_of(tx, of_booking, which)
    return tx.all(
        f"""SELECT s.id, s.section, s.status, s.ownership_status, s.held_until, s.supplier_id, s.cost,
                s.ownership_status = 'OWNED'
                    AND (s.status = 'AVAILABLE' OR (s.status = 'RESERVED' AND s.held_until <= clock_timestamp())) AS free,
                (SELECT t.booking_id FROM tickets t WHERE t.tenant_id = s.tenant_id AND t.event_seat_id = s.id
                 AND t.status IN {LIVE}) AS live_booking_id
            FROM event_seats s WHERE s.tenant_id = %(tenant)s AND s.id IN ({of_booking}) ORDER BY s.id""",
        which,
        into=Seat,
    )


def end_lapsed(tx: Tx, seat_ids: Sequence[UUID], *, but: UUID) -> None:
    """End the lapsed reservations of other bookings on these (locked) seats."""
    ended = tx.values(
        """UPDATE tickets SET status = 'CANCELLED', cancelled_at = now()
           WHERE tenant_id = %s AND event_seat_id = ANY(%s) AND status = 'RESERVED' AND booking_id <> %s RETURNING id""",
        (tx.tenant_id, list(seat_ids), but),
    )
    if ended:
        history.note_many(
            tx, object="ticket", subject_ids=ended, from_status="RESERVED", to_status="CANCELLED", reason="EXPIRED"
        )


def end_tickets(tx: Tx, ticket_ids: Sequence[UUID], *, reason: str, at: datetime | None = None) -> int:
    """Those of the tickets that live CANCELLED (now, or as of `at`), their (locked) seats AVAILABLE again; how many."""
    ended = tx.dicts(
        f"""UPDATE tickets t SET status = 'CANCELLED', cancelled_at = COALESCE(%(at)s, now())
            FROM tickets before
            WHERE t.tenant_id = %(tenant)s AND t.id = ANY(%(ids)s) AND t.status IN {LIVE}
              AND before.tenant_id = t.tenant_id AND before.id = t.id
            RETURNING t.id, t.event_seat_id, before.status""",
        {"tenant": tx.tenant_id, "ids": list(ticket_ids), "at": at},
    )
    if not ended:
        return 0
    tx.run(
        "UPDATE event_seats SET status = 'AVAILABLE', held_until = NULL WHERE tenant_id = %s AND id = ANY(%s)",
        (tx.tenant_id, [row["event_seat_id"] for row in ended]),
    )
    were = [(row["id"], row["status"]) for row in ended]
    history.note_each(tx, object="ticket", before=were, to_status="CANCELLED", reason=reason)
    seats = [(row["event_seat_id"], "RESERVED" if row["status"] == "RESERVED" else "SOLD") for row in ended]
    history.note_each(tx, object="event_seat", before=seats, to_status="AVAILABLE", reason=reason)
    return len(ended)
