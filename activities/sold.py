"""What a booking's tickets mean to the books: rows turned into the inputs of the postings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from db.booking import Booking, Ticket
from domain.booking import BookingStatus, TicketStatus
from domain.ledger import CancelledTicket, SoldTicket
from domain.money import Money
from domain.refunds import HeldTicket, QuoteLine, Totals

T = TypeVar("T")


def sold_tickets(tickets: Sequence[Ticket], *, currency: str) -> list[SoldTicket]:
    """Confirmed tickets, for posting 8 and its reversal."""
    return [
        SoldTicket(
            event_seat_id=ticket.event_seat_id,
            event_id=ticket.event_id,
            supplier_id=_known(ticket.supplier_id),
            section=ticket.section,
            price=Money(ticket.price, currency),
            discount=Money(ticket.discount, currency),
            fee=Money(ticket.fee, currency),
            tax=Money(ticket.tax, currency),
            cost=Money(_known(ticket.cost), currency),
        )
        for ticket in tickets
    ]


def cancelled_tickets(tickets: Sequence[Ticket], *, lines: Sequence[QuoteLine], currency: str) -> list[CancelledTicket]:
    """Tickets with what their quote gives back, for posting 12."""
    by_id = {line.ticket_id: line for line in lines}
    return [
        CancelledTicket(
            event_seat_id=ticket.event_seat_id,
            event_id=ticket.event_id,
            supplier_id=_known(ticket.supplier_id),
            section=ticket.section,
            price=Money(ticket.price, currency),
            discount=Money(ticket.discount, currency),
            cost=Money(_known(ticket.cost), currency),
            refund_due=by_id[ticket.id].refund + by_id[ticket.id].fee_back,
            fee_back=by_id[ticket.id].fee_back,
            tax_back=by_id[ticket.id].tax_back,
        )
        for ticket in tickets
    ]


def held_tickets(tickets: Sequence[Ticket], *, currency: str) -> list[HeldTicket]:
    """Tickets as a quote looks at them."""
    return [
        HeldTicket(
            ticket_id=ticket.id,
            status=TicketStatus(ticket.status),
            price=Money(ticket.price, currency),
            discount=Money(ticket.discount, currency),
            fee=Money(ticket.fee, currency),
            tax=Money(ticket.tax, currency),
        )
        for ticket in tickets
    ]


def kept(booking: Booking) -> Booking:
    """A booking as it is shown: one that has ended without a sale is for no tickets and keeps no money.

    Its row still knows what was reserved: late money may bring it back (contract section 6).
    """
    if booking.status != BookingStatus.CANCELLED or booking.ticket_count == 0:
        return booking
    nothing = Decimal(0)
    return replace(
        booking,
        ticket_count=0,
        subtotal=nothing,
        discount_amount=nothing,
        service_fee=nothing,
        tax_amount=nothing,
        cancellation_charge=nothing,
        total_amount=nothing,
    )


def totals(booking: Booking) -> Totals:
    """A booking's money."""

    def money(amount: Decimal) -> Money:
        return Money(amount, booking.currency)

    return Totals(
        ticket_count=booking.ticket_count,
        subtotal=money(booking.subtotal),
        discount_amount=money(booking.discount_amount),
        service_fee=money(booking.service_fee),
        tax_amount=money(booking.tax_amount),
        cancellation_charge=money(booking.cancellation_charge),
        paid=money(booking.paid),
        refunded=money(booking.refunded),
        refunds_pending=money(booking.refunds_pending),
    )


def _known(value: T | None) -> T:
    if value is None:
        raise LookupError("a sold ticket has a supplier and a cost")
    return value
