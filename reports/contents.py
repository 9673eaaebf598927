"""What each paper says, read from the database: from rows to the papers' own facts, with nothing left to look up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from db import access
from db import papers as rows
from db.papers import EventRow, OrderRow, ReceiptLineRow, ReceiptRow, SeatRow, TicketRow
from db.transaction import Tx
from domain.booking import TicketStatus
from domain.money import Money
from domain.selectors import SeatName
from domain.states import Refused
from reports import words
from reports.papers import (
    BookedSeat,
    Booking,
    Event,
    Issuer,
    OrderLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Supplier,
    Ticket,
)

_ADDRESS = ("name", "line1", "street", "address", "line2", "postal_code", "postcode", "zip", "city", "region", "state")
"""The parts of an address in the order they are read; others follow, the country last."""


def issuer(tx: Tx) -> Issuer:
    """The agency whose transaction this is."""
    agency = access.tenant(tx)
    locale = words.locale_for(agency.timezone) if agency.locale == "en" else agency.locale
    return Issuer(name=agency.name, currency=agency.currency, timezone=agency.timezone, locale=locale)


def purchase_order(tx: Tx, order_id: UUID) -> PurchaseOrder:
    """An order as it stands, marked while it is a draft or after it was cancelled. LookupError when there is none."""
    order = rows.order(tx, order_id)
    return PurchaseOrder(
        issuer=issuer(tx),
        supplier=_supplier(order),
        number=order.po_number,
        issued_at=order.issued_at,
        payment_terms=order.payment_terms,
        fulfillment_method=order.fulfillment_method,
        lines=tuple(
            OrderLine(
                number=line.line_number,
                event=_event(line),
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                total=Money(line.line_total, order.currency),
            )
            for line in rows.order_lines(tx, order_id)
        ),
        total=Money(order.total_amount, order.currency),
        expected_date=order.expected_date,
        reference=order.reference or "",
        notes=order.notes or "",
        authorised_by=order.created_by,
        mark=order_mark(order),
    )


def order_mark(order: OrderRow) -> str:
    """What is stamped across an order's paper."""
    if order.is_cancelled:
        return "CANCELLED"
    return "DRAFT" if order.is_draft else ""


def receipt(tx: Tx, receipt_id: UUID) -> Receipt:
    """A delivery as it was taken in. LookupError when there is none."""
    found = rows.receipt(tx, receipt_id)
    seats = rows.receipt_seats(tx, receipt_id)
    return Receipt(
        issuer=issuer(tx),
        supplier=_supplier(found),
        number=found.receipt_number,
        order_number=found.po_number,
        delivery_reference=found.delivery_reference,
        delivered_at=found.delivered_at,
        received_by=found.received_by,
        fulfillment_method=found.fulfillment_method,
        lines=tuple(
            _receipt_line(line, _seats_of(seats, line.line_id), currency=found.currency)
            for line in rows.receipt_lines(tx, receipt_id)
        ),
        total=Money(found.total_amount, found.currency),
        supplier_reference=found.supplier_reference or "",
    )


def tickets(tx: Tx, booking_id: UUID) -> tuple[Ticket, ...]:
    """The confirmed tickets of a booking in human seat order. Raises Refused `ticket_not_valid` when it has none."""
    return _tickets(issuer(tx), rows.tickets_of(tx, booking_id))


def ticket(tx: Tx, ticket_id: UUID) -> tuple[Ticket, ...]:
    """One ticket. Raises Refused `ticket_not_valid` unless it is confirmed."""
    return _tickets(issuer(tx), [rows.ticket(tx, ticket_id)])


def booking(tx: Tx, booking_id: UUID, *, only: Iterable[UUID] | None = None) -> Booking:
    """A booking as a mail tells it, with its live tickets, or with `only` these whatever became of them."""
    found = rows.booking(tx, booking_id)
    wanted = None if only is None else set(only)
    told = [
        row
        for row in rows.tickets_of(tx, booking_id)
        if (row.status != TicketStatus.CANCELLED if wanted is None else row.ticket_id in wanted)
    ]
    discount, tax = Money(found.discount_amount, found.currency), Money(found.tax_amount, found.currency)
    return Booking(
        issuer=issuer(tx),
        number=found.booking_number,
        customer=found.customer,
        event=_event(found),
        seats=tuple(_booked_seat(row) for row in told),
        subtotal=Money(found.subtotal, found.currency),
        service_fee=Money(found.service_fee, found.currency),
        total=Money(found.total_amount, found.currency),
        discount=discount if discount.is_positive else None,
        tax=tax if tax.is_positive else None,
    )


def _tickets(agency: Issuer, found: Sequence[TicketRow]) -> tuple[Ticket, ...]:
    valid = [row for row in found if row.status == TicketStatus.CONFIRMED]
    if not valid:
        raise Refused("ticket_not_valid", "Only confirmed tickets are printed.")
    return tuple(
        Ticket(
            issuer=agency,
            number=row.ticket_number,
            booking_number=row.booking_number,
            event=_event(row),
            section=row.section,
            row=row.row_label,
            seat=row.seat_number,
            holder=row.holder,
            price=Money(row.price, row.currency),
            barcode=row.barcode,
            seat_type="" if row.seat_type == "STANDARD" else row.seat_type.replace("_", " ").capitalize(),
        )
        for row in valid
    )


def _booked_seat(row: TicketRow) -> BookedSeat:
    return BookedSeat(
        ticket_number=row.ticket_number,
        section=row.section,
        row=row.row_label,
        seat=row.seat_number,
        price=Money(row.price, row.currency),
    )


def _receipt_line(line: ReceiptLineRow, seats: tuple[SeatName, ...], *, currency: str) -> ReceiptLine:
    return ReceiptLine(
        number=line.line_number,
        event=_event(line),
        description=line.description,
        ordered=line.ordered_quantity,
        received_before=line.received_before,
        open=max(min(line.ordered_quantity, line.confirmed_quantity) - line.received_before - line.quantity, 0),
        unit_price=line.unit_price,
        amount=Money(line.amount, currency),
        seats=seats,
    )


def _seats_of(seats: Sequence[SeatRow], line_id: UUID) -> tuple[SeatName, ...]:
    return tuple((seat.section, seat.row_label, seat.seat_number) for seat in seats if seat.line_id == line_id)


def _supplier(row: OrderRow | ReceiptRow) -> Supplier:
    return Supplier(
        name=row.supplier,
        email=row.supplier_email or "",
        contact_person=row.contact_person or "",
        tax_id=row.tax_id or "",
    )


def _event(row: EventRow) -> Event:
    return Event(
        title=row.title,
        starts_at=row.start_at,
        timezone=row.timezone,
        venue=row.venue,
        address=address_line(row.address),
    )


def address_line(address: Any) -> str:
    """An address on one line: as it was written, or its parts in the order they are read."""
    if isinstance(address, dict):
        country = address.get("country")
        known = [address[part] for part in _ADDRESS if part in address]
        others = [value for part, value in sorted(address.items()) if part not in (*_ADDRESS, "country")]
        return ", ".join(str(value) for value in (*known, *others, country) if value)
    return str(address or "")
