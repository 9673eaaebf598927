"""What papers are made from: orders, receipts, bookings and tickets with every name and place that they print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """The event a row is for, and where it is; `address` is as the venue's client wrote it."""

    title: str
    start_at: datetime
    timezone: str
    venue: str
    address: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRow:
    """An order's header with its supplier."""

    po_number: str
    version: int
    issued_at: datetime
    is_draft: bool
    is_cancelled: bool
    payment_terms: str
    fulfillment_method: str
    expected_date: date | None
    reference: str | None
    notes: str | None
    created_by: str
    currency: str
    total_amount: Decimal
    supplier: str
    supplier_email: str | None
    contact_person: str | None
    tax_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLineRow(EventRow):
    """A line of an order."""

    line_number: int
    description: str
    quantity: int
    unit_price: Decimal
    line_total: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRow:
    """A receipt's header with its order and supplier."""

    receipt_number: str
    po_number: str
    delivery_reference: str
    delivered_at: datetime
    received_by: str
    fulfillment_method: str
    supplier_reference: str | None
    currency: str
    total_amount: Decimal
    supplier: str
    supplier_email: str | None
    contact_person: str | None
    tax_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLineRow(EventRow):
    """A line of a receipt: counts as they were when it was taken in."""

    line_id: UUID
    line_number: int
    description: str
    ordered_quantity: int
    confirmed_quantity: int
    received_before: int
    quantity: int
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatRow:
    """A delivered seat of a receipt's line."""

    line_id: UUID
    section: str
    row_label: str
    seat_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingRow(EventRow):
    """A booking with its customer and event."""

    booking_number: str
    customer: str
    currency: str
    subtotal: Decimal
    discount_amount: Decimal
    service_fee: Decimal
    tax_amount: Decimal
    total_amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketRow(EventRow):
    """A ticket with its seat, its holder and its event."""

    ticket_id: UUID
    ticket_number: str
    booking_number: str
    status: str
    currency: str
    price: Decimal
    barcode: str
    section: str
    row_label: str
    seat_number: str
    seat_type: str
    holder: str
    event_version: int


_EVENT = "e.title, e.start_at, e.timezone, v.name AS venue, v.address"
_VENUE = "JOIN venues v ON v.tenant_id = e.tenant_id AND v.id = e.venue_id"
_SUPPLIER = "s.name AS supplier, s.email AS supplier_email, s.contact_person, s.tax_id"

_TICKETS = f"""SELECT {_EVENT}, t.id AS ticket_id, t.ticket_number, b.booking_number, t.status, b.currency, t.price,
        t.barcode, es.section, es.row_label, es.seat_number, vs.seat_type, c.name AS holder,
        e.version AS event_version
    FROM tickets t
    JOIN bookings b ON b.tenant_id = t.tenant_id AND b.id = t.booking_id
    JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
    JOIN event_seats es ON es.tenant_id = t.tenant_id AND es.id = t.event_seat_id
    JOIN venue_seats vs ON vs.tenant_id = es.tenant_id AND vs.id = es.venue_seat_id
    JOIN events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id {_VENUE}"""


def order(tx: Tx, order_id: UUID) -> OrderRow:
    """An order's header; issued when it was submitted, or drafted."""
    return tx.one(
        f"""SELECT o.po_number, o.version, COALESCE(o.submitted_at, o.created_at) AS issued_at, o.submitted_at IS NULL AS is_draft,
                o.cancelled_at IS NOT NULL AND NOT EXISTS (SELECT FROM receipts r WHERE r.tenant_id = o.tenant_id
                    AND r.purchase_order_id = o.id) AS is_cancelled,
                o.payment_terms, o.fulfillment_method, o.expected_date, o.reference, o.notes, o.created_by, o.currency,
                o.total_amount, {_SUPPLIER}
            FROM purchase_orders o JOIN suppliers s ON s.tenant_id = o.tenant_id AND s.id = o.supplier_id
            WHERE o.id = %s""",
        (order_id,),
        into=OrderRow,
    )


def order_lines(tx: Tx, order_id: UUID) -> list[OrderLineRow]:
    """An order's lines by number."""
    return tx.all(
        f"""SELECT {_EVENT}, l.line_number, l.description, l.quantity, l.unit_price, l.line_total
            FROM purchase_order_lines l JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id {_VENUE}
            WHERE l.purchase_order_id = %s ORDER BY l.line_number""",
        (order_id,),
        into=OrderLineRow,
    )


def receipt(tx: Tx, receipt_id: UUID) -> ReceiptRow:
    """A receipt's header."""
    return tx.one(
        f"""SELECT r.receipt_number, o.po_number, r.delivery_reference, r.delivered_at, r.received_by,
                o.fulfillment_method, o.supplier_reference, o.currency, r.total_amount, {_SUPPLIER}
            FROM receipts r
            JOIN purchase_orders o ON o.tenant_id = r.tenant_id AND o.id = r.purchase_order_id
            JOIN suppliers s ON s.tenant_id = r.tenant_id AND s.id = r.supplier_id
            WHERE r.id = %s""",
        (receipt_id,),
        into=ReceiptRow,
    )


def receipt_lines(tx: Tx, receipt_id: UUID) -> list[ReceiptLineRow]:
    """A receipt's lines by their number in the order."""
    return tx.all(
        f"""SELECT {_EVENT}, rl.line_id, l.line_number, l.description, rl.ordered_quantity, l.confirmed_quantity,
                rl.received_before, rl.quantity, rl.unit_price, rl.amount
            FROM receipt_lines rl
            JOIN purchase_order_lines l ON l.tenant_id = rl.tenant_id AND l.id = rl.line_id
            JOIN events e ON e.tenant_id = rl.tenant_id AND e.id = rl.event_id {_VENUE}
            WHERE rl.receipt_id = %s ORDER BY l.line_number""",
        (receipt_id,),
        into=ReceiptLineRow,
    )


def receipt_seats(tx: Tx, receipt_id: UUID) -> list[SeatRow]:
    """Every seat of a receipt in human order."""
    return tx.all(
        """SELECT rs.line_id, es.section, es.row_label, es.seat_number
           FROM receipt_seats rs JOIN event_seats es ON es.tenant_id = rs.tenant_id AND es.id = rs.event_seat_id
           WHERE rs.receipt_id = %s ORDER BY es.sort_key, es.id""",
        (receipt_id,),
        into=SeatRow,
    )


def booking(tx: Tx, booking_id: UUID) -> BookingRow:
    """A booking as a mail tells it."""
    return tx.one(
        f"""SELECT {_EVENT}, b.booking_number, c.name AS customer, b.currency, b.subtotal, b.discount_amount,
                b.service_fee, b.tax_amount, b.total_amount
            FROM bookings b
            JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
            JOIN events e ON e.tenant_id = b.tenant_id AND e.id = b.event_id {_VENUE}
            WHERE b.id = %s""",
        (booking_id,),
        into=BookingRow,
    )


def tickets_of(tx: Tx, booking_id: UUID) -> list[TicketRow]:
    """Every ticket a booking ever had, in human seat order."""
    return tx.all(f"{_TICKETS} WHERE t.booking_id = %s ORDER BY t.position, t.id", (booking_id,), into=TicketRow)


def ticket(tx: Tx, ticket_id: UUID) -> TicketRow:
    """One ticket."""
    return tx.one(f"{_TICKETS} WHERE t.id = %s", (ticket_id,), into=TicketRow)
