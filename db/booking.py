"""Bookings and their tickets: the rows, and how they change from reserved to sold, given up or expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db import history
from db.arrays import literal
from db.seating import LIVE, Seat, end_lapsed, end_tickets, lock_seats, lock_seats_of
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """A basket under one payment; amounts in `currency`, for the tickets it still has."""

    id: UUID
    booking_number: str
    customer_id: UUID
    event_id: UUID
    status: str
    payment_status: str
    cancellation_reason: str | None
    reserved_until: datetime
    held_until: datetime
    ticket_count: int
    currency: str
    subtotal: Decimal
    discount_amount: Decimal
    service_fee: Decimal
    tax_amount: Decimal
    cancellation_charge: Decimal
    total_amount: Decimal
    paid: Decimal
    refunded: Decimal
    refunds_pending: Decimal
    policy: dict[str, Any]
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    in_time: bool
    read_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """One admission; section, row and seat are the event seat's."""

    id: UUID
    ticket_number: str
    booking_id: UUID
    event_id: UUID
    event_seat_id: UUID
    position: int
    status: str
    price: Decimal
    discount: Decimal
    fee: Decimal
    tax: Decimal
    barcode: str
    supplier_id: UUID | None
    cost: Decimal | None
    section: str
    row_label: str
    seat_number: str
    confirmed_at: datetime | None
    cancelled_at: datetime | None


BOOKING = """b.id, b.booking_number, b.customer_id, b.event_id, b.status, b.payment_status, b.cancellation_reason,
    b.reserved_until, b.held_until, b.ticket_count, b.currency, b.subtotal, b.discount_amount, b.service_fee, b.tax_amount,
    b.cancellation_charge, b.total_amount, b.paid, b.refunded, b.policy, b.created_at, b.confirmed_at, b.cancelled_at,
    b.reserved_until > now() AS in_time, clock_timestamp() AS read_at,
    COALESCE((SELECT sum(r.amount) FROM refunds r WHERE r.tenant_id = b.tenant_id AND r.booking_id = b.id
              AND r.status IN ('REQUESTED', 'SUBMITTED', 'ESCALATED')), 0) AS refunds_pending"""

TICKET = """t.id, t.ticket_number, t.booking_id, t.event_id, t.event_seat_id, t.position, t.status, t.price, t.discount,
    t.fee, t.tax, t.barcode, t.supplier_id, t.cost, s.section, s.row_label, s.seat_number, t.confirmed_at, t.cancelled_at"""


def find(tx: Tx, booking_id: UUID) -> Booking | None:
    """One booking of this agency."""
    return tx.maybe(f"SELECT {BOOKING} FROM bookings b WHERE b.id = %s", (booking_id,), into=Booking)


def take(tx: Tx, booking_id: UUID) -> Booking:
    """The booking, locked; every writer locks the booking first, then its seats in id order, then its tickets."""
    tx.value("SELECT 1 FROM bookings WHERE id = %s FOR UPDATE", (booking_id,))
    return tx.one(f"SELECT {BOOKING} FROM bookings b WHERE b.id = %s", (booking_id,), into=Booking)


def listed(
    tx: Tx,
    *,
    status: Sequence[str] | None = None,
    event_id: UUID | None = None,
    customer_id: UUID | None = None,
    q: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Booking]:
    """A page of bookings, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {BOOKING} FROM bookings b
            WHERE (%(status)s::text[] IS NULL OR b.status = ANY(%(status)s))
              AND (%(event)s::uuid IS NULL OR b.event_id = %(event)s)
              AND (%(customer)s::uuid IS NULL OR b.customer_id = %(customer)s)
              AND (%(q)s::text IS NULL OR strpos(lower(b.booking_number), lower(%(q)s)) > 0)
              AND (%(after)s::uuid IS NULL OR b.id < %(after)s)
            ORDER BY b.id DESC LIMIT %(limit)s""",
        {
            "status": list(status) if status else None,
            "event": event_id,
            "customer": customer_id,
            "q": q,
            "after": after,
            "limit": limit + 1,
        },
        into=Booking,
    )


def tickets(tx: Tx, booking_id: UUID) -> list[Ticket]:
    """A booking's tickets, all that it ever had, in human seat order."""
    return tx.all(
        f"""SELECT {TICKET} FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
            WHERE t.tenant_id = %s AND t.booking_id = %s ORDER BY t.position""",
        (tx.tenant_id, booking_id),
        into=Ticket,
    )


def ticket(tx: Tx, ticket_id: UUID) -> Ticket | None:
    """One ticket."""
    return tx.maybe(
        f"""SELECT {TICKET} FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
            WHERE t.tenant_id = %s AND t.id = %s""",
        (tx.tenant_id, ticket_id),
        into=Ticket,
    )


def ticket_by_barcode(tx: Tx, barcode: str) -> Ticket | None:
    """The ticket a code stands for."""
    return tx.maybe(
        f"""SELECT {TICKET} FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
            WHERE t.tenant_id = %s AND t.barcode = %s""",
        (tx.tenant_id, barcode),
        into=Ticket,
    )


def hold_until(tx: Tx, booking_id: UUID, *, until: datetime) -> int:
    """Move the moment from which the booking's seats are free to others; how many seats it still has.

    Whose seat it is, is read after the lock: a lapsed one may have gone to somebody else while we waited for it.
    """
    live = """SELECT event_seat_id FROM tickets
              WHERE tenant_id = %(tenant)s AND booking_id = %(booking)s AND status = 'RESERVED'"""
    which = {"tenant": tx.tenant_id, "booking": booking_id, "until": until}
    lock_seats_of(tx, live, which)
    held = tx.run(
        f"""UPDATE event_seats SET held_until = %(until)s
            WHERE tenant_id = %(tenant)s AND status = 'RESERVED' AND id IN ({live})""",
        which,
    )
    tx.run("UPDATE bookings SET held_until = %s WHERE id = %s", (until, booking_id))
    return held


def set_payment_status(tx: Tx, booking_id: UUID, *, to: str) -> None:
    """Move the payment axis of a (locked) booking; nothing is noted when it stands there already."""
    before: str | None = tx.value(
        """UPDATE bookings b SET payment_status = %(to)s, version = b.version + 1 FROM bookings before
           WHERE b.tenant_id = %(tenant)s AND b.id = %(id)s AND b.payment_status <> %(to)s
             AND before.tenant_id = b.tenant_id AND before.id = b.id RETURNING before.payment_status""",
        {"to": to, "tenant": tx.tenant_id, "id": booking_id},
    )
    if before is not None:
        history.note(
            tx, object="booking", subject_id=booking_id, from_status=f"payment {before}", to_status=f"payment {to}"
        )


SELL = f"""
WITH sold AS (
    UPDATE tickets t SET status = 'CONFIRMED', confirmed_at = %(at)s, cancelled_at = NULL, supplier_id = s.supplier_id,
        cost = s.cost
    FROM event_seats s, tickets before
    WHERE t.tenant_id = %(tenant)s AND t.booking_id = %(booking)s AND t.event_seat_id = ANY(%(seats)s)
        AND s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
        AND before.tenant_id = t.tenant_id AND before.id = t.id
    RETURNING {TICKET}, before.status AS was
), seats AS (
    UPDATE event_seats SET status = 'SOLD', held_until = NULL WHERE tenant_id = %(tenant)s AND id = ANY(%(seats)s)
), over AS (
    UPDATE bookings SET status = 'CONFIRMED', confirmed_at = %(at)s, cancelled_at = NULL, cancellation_reason = NULL,
        version = version + 1 WHERE id = %(booking)s
)
SELECT * FROM sold ORDER BY position"""


def sell(tx: Tx, booking: Booking, *, seats: Sequence[Seat], at: datetime, reason: str | None = None) -> list[Ticket]:
    """Booking and tickets CONFIRMED, the (locked) seats SOLD; other bookings' lapsed tickets on them end first.

    Returns the tickets as they are then.
    """
    if lapsed := [seat.id for seat in seats if seat.live_booking_id not in (None, booking.id)]:
        end_lapsed(tx, lapsed, but=booking.id)
    rows = tx.dicts(
        SELL, {"at": at, "tenant": tx.tenant_id, "booking": booking.id, "seats": [seat.id for seat in seats]}
    )
    before = [(row["id"], row.pop("was")) for row in rows]
    history.note(
        tx, object="booking", subject_id=booking.id, from_status=booking.status, to_status="CONFIRMED", reason=reason
    )
    history.note_each(tx, object="ticket", before=before, to_status="CONFIRMED")
    changed = [(seat.id, seat.status) for seat in seats]
    history.note_each(tx, object="event_seat", before=changed, to_status="SOLD", reason=booking.booking_number)
    return [Ticket(**row) for row in rows]


def give_up(tx: Tx, booking: Booking, *, reason: str, payment_status: str | None = None) -> int:
    """The whole booking CANCELLED, its live tickets ended, their seats AVAILABLE again; returns how many seats."""
    live = tx.dicts(
        f"SELECT id, event_seat_id FROM tickets WHERE tenant_id = %s AND booking_id = %s AND status IN {LIVE}",
        (tx.tenant_id, booking.id),
    )
    lock_seats(tx, [row["event_seat_id"] for row in live])
    freed = end_tickets(tx, [row["id"] for row in live], reason=reason)
    tx.run(
        """UPDATE bookings SET status = 'CANCELLED', cancellation_reason = %s, cancelled_at = now(),
               version = version + 1 WHERE id = %s""",
        (reason, booking.id),
    )
    history.note(
        tx,
        object="booking",
        subject_id=booking.id,
        from_status=booking.status,
        to_status="CANCELLED",
        reason=reason,
    )
    if payment_status:
        set_payment_status(tx, booking.id, to=payment_status)
    return freed


EXPIRE = """
WITH ended AS (
    UPDATE tickets SET status = 'CANCELLED', cancelled_at = now()
    WHERE tenant_id = %(tenant)s AND booking_id = ANY(%(due)s::uuid[]) AND status = 'RESERVED' RETURNING id, event_seat_id
), freed AS (
    UPDATE event_seats s SET status = 'AVAILABLE', held_until = NULL FROM ended
    WHERE s.tenant_id = %(tenant)s AND s.id = ended.event_seat_id RETURNING s.id
), over AS (
    UPDATE bookings SET status = 'CANCELLED', cancellation_reason = 'EXPIRED', cancelled_at = now(), version = version + 1
    WHERE tenant_id = %(tenant)s AND id = ANY(%(due)s::uuid[]) RETURNING id
)
INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status, reason)
SELECT %(tenant)s, object, id, %(by)s, 'RESERVED', to_status, 'EXPIRED' FROM (
    SELECT 'ticket' AS object, id, 'CANCELLED' AS to_status FROM ended
    UNION ALL SELECT 'event_seat', id, 'AVAILABLE' FROM freed
    UNION ALL SELECT 'booking', id, 'CANCELLED' FROM over) AS changes
"""


def expire_many(tx: Tx, booking_ids: Sequence[UUID]) -> list[UUID]:
    """End those of the bookings whose time is over, in a handful of statements; returns which.

    A booking that somebody else is busy with is passed over: its own process, or the next round, looks again.
    """
    due = tx.values(
        """SELECT id FROM bookings WHERE tenant_id = %s AND id = ANY(%s) AND status = 'RESERVED'
           AND held_until <= clock_timestamp() ORDER BY id FOR UPDATE SKIP LOCKED""",
        (tx.tenant_id, list(booking_ids)),
    )
    if not due:
        return []
    values = {"tenant": tx.tenant_id, "due": literal(due), "by": tx.actor}
    lock_seats_of(
        tx,
        """SELECT event_seat_id FROM tickets
           WHERE tenant_id = %(tenant)s AND booking_id = ANY(%(due)s::uuid[]) AND status = 'RESERVED'""",
        values,
    )
    # Which tickets still live is asked again: a lapsed seat may have gone to somebody else while we waited for it.
    tx.run(EXPIRE, values)
    return due


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a booking comes to after some or all of its tickets were given up."""

    ticket_count: int
    subtotal: Decimal
    discount_amount: Decimal
    service_fee: Decimal
    tax_amount: Decimal
    cancellation_charge: Decimal
    total_amount: Decimal
    status: str


def keep(tx: Tx, booking: Booking, kept: Kept, *, reason: str, at: datetime) -> None:
    """Store what is kept of a booking; with no ticket left it has ended, for that reason."""
    whole = kept.ticket_count == 0
    tx.run(
        """UPDATE bookings SET ticket_count = %(ticket_count)s, subtotal = %(subtotal)s,
               discount_amount = %(discount_amount)s, service_fee = %(service_fee)s, tax_amount = %(tax_amount)s,
               cancellation_charge = %(cancellation_charge)s, total_amount = %(total_amount)s, status = %(status)s,
               version = version + 1, cancelled_at = COALESCE(%(cancelled_at)s, cancelled_at),
               cancellation_reason = COALESCE(%(cancellation_reason)s, cancellation_reason)
           WHERE id = %(id)s""",
        {
            **asdict(kept),
            "id": booking.id,
            "cancelled_at": at if whole else None,
            "cancellation_reason": reason if whole else None,
        },
    )
    history.note(
        tx,
        object="booking",
        subject_id=booking.id,
        from_status=booking.status,
        to_status=kept.status,
        reason=reason,
    )


def database_now(tx: Tx) -> datetime:
    """The clock that decides."""
    moment: datetime = tx.value("SELECT clock_timestamp()")
    return moment
