"""The hot path of selling: read the basket, then lock, count, take and write it in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg.types.json import Jsonb

from db.arrays import literal
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketSeat:
    """A seat as the basket's reader finds it, beside the event's, customer's and agency's facts (the same in each row)."""

    event_status: str | None
    over: bool | None
    currency: str
    tax_rate: Decimal | None
    service_fee_percent: Decimal
    reservation_window: timedelta | None
    customer_known: bool
    seat_id: UUID | None
    section: str | None
    row_label: str | None
    seat_number: str | None
    retail_price: Decimal | None
    free: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTicket:
    """A ticket about to be issued for a seat at a price."""

    id: UUID
    event_seat_id: UUID
    price: Decimal
    fee: Decimal
    tax: Decimal
    barcode: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBooking:
    """A basket about to be booked; amounts in the event's currency."""

    id: UUID
    customer_id: UUID
    event_id: UUID
    window: timedelta
    currency: str
    subtotal: Decimal
    service_fee: Decimal
    tax_amount: Decimal
    total_amount: Decimal
    policy: dict[str, object]
    tickets: Sequence[NewTicket]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """What the database gave a new booking."""

    booking_number: str
    reserved_until: datetime
    created_at: datetime
    ticket_numbers: dict[str, str]


# NULL rather than a value stands for a thing that is not there, so that one round trip finds out everything.
READ = """
SELECT e.status AS event_status, e.end_at <= now() AS over, t.currency, e.tax_rate, t.service_fee_percent,
    t.reservation_window, c.id IS NOT NULL AS customer_known, s.id AS seat_id, s.section, s.row_label, s.seat_number,
    s.retail_price,
    s.ownership_status = 'OWNED' AND NOT s.written_off AND (s.status = 'AVAILABLE' OR (s.status = 'RESERVED' AND s.held_until <= now())) AS free
FROM tenants t
LEFT JOIN events e ON e.tenant_id = t.id AND e.id = %(event)s
LEFT JOIN customers c ON c.tenant_id = t.id AND c.id = %(customer)s
LEFT JOIN event_seats s ON s.tenant_id = t.id AND s.event_id = e.id AND s.id = ANY(%(seats)s::uuid[])
WHERE t.id = %(tenant)s
ORDER BY s.sort_key, s.id
"""

# Seats are locked in id order, so that overlapping baskets queue instead of deadlocking; a basket that does not get
# every seat at its price gets none, and writes nothing. `ended` is read by `issued` to make it happen first: the
# live-ticket index must see the lapsed ticket gone before the new one comes.
TAKE = """
WITH wanted AS (
    SELECT * FROM unnest(%(seat)s::uuid[], %(ticket)s::uuid[], %(price)s::numeric[], %(fee)s::numeric[], %(tax)s::numeric[],
                         %(barcode)s::text[]) WITH ORDINALITY AS w(seat_id, ticket_id, price, fee, tax, barcode, position)
), locked AS (
    SELECT s.id, s.status FROM event_seats s JOIN wanted w ON w.seat_id = s.id
    WHERE s.tenant_id = %(tenant)s AND s.event_id = %(event)s AND s.ownership_status = 'OWNED' AND NOT s.written_off
      AND s.retail_price = w.price
      AND (s.status = 'AVAILABLE' OR (s.status = 'RESERVED' AND s.held_until <= now()))
    ORDER BY s.id FOR NO KEY UPDATE OF s
), whole AS (
    SELECT count(*) = %(count)s AS got_all FROM locked
), ended AS (
    UPDATE tickets t SET status = 'CANCELLED', cancelled_at = now() FROM locked l, whole
    WHERE whole.got_all AND l.status = 'RESERVED' AND t.tenant_id = %(tenant)s AND t.event_seat_id = l.id
      AND t.status = 'RESERVED'
    RETURNING t.id
), taken AS (
    UPDATE event_seats s SET status = 'RESERVED', held_until = now() + %(window)s FROM locked l, whole
    WHERE whole.got_all AND s.tenant_id = %(tenant)s AND s.id = l.id
    RETURNING s.id
), booked AS (
    INSERT INTO bookings (tenant_id, id, booking_number, customer_id, event_id, reserved_until, held_until, ticket_count,
        currency, subtotal, service_fee, tax_amount, total_amount, policy, created_by)
    SELECT %(tenant)s, %(booking)s, next_number('BK', 'booking_numbers'), %(customer)s, %(event)s, now() + %(window)s,
        now() + %(window)s, %(count)s, %(currency)s, %(subtotal)s, %(service_fee)s, %(tax_amount)s, %(total)s, %(policy)s,
        %(by)s
    FROM whole WHERE got_all
    RETURNING booking_number, reserved_until, created_at
), issued AS (
    INSERT INTO tickets (tenant_id, id, ticket_number, booking_id, event_id, event_seat_id, position, price, fee, tax, barcode)
    SELECT %(tenant)s, w.ticket_id, next_number('TK', 'ticket_numbers'), %(booking)s, %(event)s, w.seat_id, w.position,
        w.price, w.fee, w.tax, w.barcode
    FROM wanted w JOIN taken ON taken.id = w.seat_id CROSS JOIN (SELECT count(*) FROM ended) AS after_ended
    RETURNING id, ticket_number
), noted AS (
    INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status, reason)
    SELECT %(tenant)s, object, subject, %(by)s, from_status, to_status, reason FROM (
        SELECT 'booking' AS object, %(booking)s AS subject, NULL AS from_status, 'RESERVED' AS to_status, NULL AS reason
        FROM booked
        UNION ALL SELECT 'ticket', id, NULL, 'RESERVED', NULL FROM issued
        UNION ALL SELECT 'ticket', id, 'RESERVED', 'CANCELLED', 'EXPIRED' FROM ended
        UNION ALL SELECT 'event_seat', id, status, 'RESERVED', booking_number FROM locked, booked
    ) AS changes
), queued AS (
    INSERT INTO outbox (tenant_id, id, kind, key, payload)
    SELECT %(tenant)s, %(message)s, 'START', 'start booking/' || %(booking)s::text, jsonb_set(%(process)s::jsonb,
        '{argument,reserved_until}', to_jsonb(reserved_until)) || jsonb_build_object('starts_at', reserved_until)
    FROM booked
)
SELECT booked.booking_number, booked.reserved_until, booked.created_at,
    (SELECT jsonb_object_agg(id, ticket_number) FROM issued) AS ticket_numbers
FROM booked
"""


def read_basket(tx: Tx, *, event_id: UUID, customer_id: UUID, seat_ids: Sequence[UUID]) -> list[BasketSeat]:
    """Everything the price and the refusals need, in human seat order; one row without a seat when none was found."""
    return tx.all(
        READ,
        {"tenant": tx.tenant_id, "event": event_id, "customer": customer_id, "seats": literal(seat_ids)},
        into=BasketSeat,
    )


def take(tx: Tx, booking: NewBooking, *, message_id: UUID, process: Mapping[str, object]) -> Reserved | None:
    """Reserve all the seats at their prices, or none: None, and nothing was written.

    Raises psycopg.errors.UniqueViolation when the live-ticket index had to decide.
    """
    tickets = booking.tickets
    return tx.maybe(
        TAKE,
        {
            "tenant": tx.tenant_id,
            "booking": booking.id,
            "event": booking.event_id,
            "customer": booking.customer_id,
            "window": booking.window,
            "count": len(tickets),
            "currency": booking.currency,
            "subtotal": booking.subtotal,
            "service_fee": booking.service_fee,
            "tax_amount": booking.tax_amount,
            "total": booking.total_amount,
            "policy": Jsonb(booking.policy),
            "by": tx.actor,
            "message": message_id,
            "process": Jsonb(dict(process)),
            "seat": literal(ticket.event_seat_id for ticket in tickets),
            "ticket": literal(ticket.id for ticket in tickets),
            "price": literal(ticket.price for ticket in tickets),
            "fee": literal(ticket.fee for ticket in tickets),
            "tax": literal(ticket.tax for ticket in tickets),
            "barcode": literal(ticket.barcode for ticket in tickets),
        },
        into=Reserved,
    )
