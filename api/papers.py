"""/pdf, tickets.pdf and /download: the papers of orders, receipts, bookings and tickets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from activities.documents import request_order, request_receipt, request_ticket, request_tickets
from api.desk import Desk, Pending
from db.transaction import Tx
from reports.kinds import PDF

desk = Desk(tag="documents")

PROBLEMS = ("document_pending", "document_failed")
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The paper", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
}


@desk.reads(
    "/purchase-orders/{order_id}/pdf", needs="orders:read", problems=PROBLEMS, responses=FILE, response_class=Response
)
def read_order_paper(tx: Tx, order_id: UUID) -> Pending:
    """Download a purchase order as PDF, stamped while it is a draft or after it was cancelled."""
    return Pending(request_order(tx, order_id))


@desk.reads(
    "/receipts/{receipt_id}/pdf", needs="receipts:read", problems=PROBLEMS, responses=FILE, response_class=Response
)
def read_receipt_paper(tx: Tx, receipt_id: UUID) -> Pending:
    """Download a delivery receipt as PDF; it never changes."""
    return Pending(request_receipt(tx, receipt_id))


@desk.reads(
    "/bookings/{booking_id}/tickets.pdf",
    needs="tickets:read",
    problems=(*PROBLEMS, "ticket_not_valid"),
    responses=FILE,
    response_class=Response,
)
def read_booking_tickets(tx: Tx, booking_id: UUID) -> Pending:
    """Download a booking's confirmed tickets as one PDF, a page each."""
    return Pending(request_tickets(tx, booking_id))


@desk.reads(
    "/tickets/{ticket_id}/download",
    needs="tickets:read",
    problems=(*PROBLEMS, "ticket_not_valid"),
    responses=FILE,
    response_class=Response,
)
def read_ticket_paper(tx: Tx, ticket_id: UUID) -> Pending:
    """Download a confirmed ticket as PDF with its code."""
    return Pending(request_ticket(tx, ticket_id))
