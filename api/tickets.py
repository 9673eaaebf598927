"""/api/tickets: one admission, and whether a code is good."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path

from api.booking_shapes import TicketShape
from api.desk import Desk
from api.shapes import Shape
from db import access
from db import booking as bookings
from db.transaction import Tx
from domain.booking import TicketStatus
from domain.numbers import read_barcode

desk = Desk(tag="tickets")


class ValidityShape(Shape):
    """What a code is good for; looking changes nothing."""

    valid: bool
    ticket_number: str | None
    status: str | None
    reason: str | None = None


@desk.reads("/tickets/validate/{barcode}", needs="tickets:read")
def validate_barcode(tx: Tx, barcode: Annotated[str, Path(max_length=80)]) -> ValidityShape:
    """Look whether a code would admit; unknown codes are answered, not refused."""
    code = read_barcode(barcode)
    ticket = bookings.ticket_by_barcode(tx, code) if code else None
    if ticket is None or ticket.status == TicketStatus.RESERVED:
        return ValidityShape(valid=False, ticket_number=None, status=None, reason="unknown_code")
    valid = ticket.status == TicketStatus.CONFIRMED
    reason = None if valid else f"ticket_{ticket.status.lower()}"
    return ValidityShape(valid=valid, ticket_number=ticket.ticket_number, status=ticket.status, reason=reason)


@desk.reads("/tickets/{ticket_id}", needs="tickets:read", single=True)
def read_ticket(tx: Tx, ticket_id: UUID) -> TicketShape:
    """Read a ticket; its barcode is shown once it is CONFIRMED."""
    ticket = bookings.ticket(tx, ticket_id)
    assert ticket is not None, "the desk has found it"
    return TicketShape.of(ticket, access.tenant(tx).currency)
