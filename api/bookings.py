"""/api/bookings: reserve seats, look at a booking, give tickets or all of it back."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict, Field

from activities import booking as steps
from activities import cancelling, reserving
from activities.sold import kept, totals
from api.booking_shapes import BookingShape, QuoteShape, RefundShape, SummaryShape, TicketShape
from api.desk import Accepted, Desk
from api.pages import After, Limit, id_after, page, part
from api.problems import Rejected
from api.purchase_order_shapes import ChangeShape
from api.shapes import Body, Line, MoneyShape, Page, utc
from db import booking as bookings
from db import history, outbox, refunds
from db.booking import Booking
from db.transaction import Tx
from domain.booking import BookingStatus
from domain.money import Money
from domain.refunds import Quote
from settings import current

desk = Desk(tag="bookings")

GivenReason = Literal["CUSTOMER_REQUEST", "EVENT_CANCELLED", "DUPLICATE", "FRAUD"]
PREVIEW = Query(description="Show the effects and change nothing")
PREVIEWED: dict[int | str, dict[str, Any]] = {200: {"model": QuoteShape, "description": "With preview"}}


class NewBooking(Body):
    """A basket: 1 to 50 seats of one event for one customer, all or nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "customer_id": "0198a1b2-0000-7000-8000-000000000001",
                "event_id": "0198a1b2-0000-7000-8000-000000000002",
                "seats": ["0198a1b2-0000-7000-8000-000000000003"],
            }
        }
    )

    customer_id: UUID
    event_id: UUID
    seats: Annotated[list[UUID], Field(min_length=1, max_length=50)]


@desk.creates(
    "/bookings",
    needs="bookings:write",
    rush=True,
    problems=["seats_unavailable", "not_on_sale", "no_price", "duplicate_seat", "unknown_id"],
)
def reserve_seats(tx: Tx, body: NewBooking) -> BookingShape:
    """Reserve seats: all of them for the reservation window, or none."""
    reservation = reserving.reserve(
        tx,
        customer_id=body.customer_id,
        event_id=body.event_id,
        seat_ids=body.seats,
        default_window=current().reservation_window,
    )
    return BookingShape.just_reserved(reservation, customer_id=body.customer_id, event_id=body.event_id)


Status = Literal["RESERVED", "CONFIRMED", "CANCELLED", "REFUNDED"]


@desk.reads("/bookings", needs="bookings:read")
def list_bookings(
    tx: Tx,
    status: Annotated[list[Status] | None, Query()] = None,
    event_id: UUID | None = None,
    customer_id: UUID | None = None,
    q: Annotated[Line | None, Query(description="Part of the booking number")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[BookingShape]:
    """List bookings, newest first."""
    rows = bookings.listed(
        tx,
        status=[str(one) for one in status] if status else None,
        event_id=event_id,
        customer_id=customer_id,
        q=q,
        after=id_after(after),
        limit=limit,
    )
    return page(rows, limit, lambda row: BookingShape.of(kept(row), None), lambda row: row.id)


@desk.reads("/bookings/customer/{customer_id}", needs="bookings:read")
def list_customer_bookings(tx: Tx, customer_id: UUID, limit: Limit = 50, after: After = None) -> Page[BookingShape]:
    """List a customer's bookings, newest first."""
    rows = bookings.listed(tx, customer_id=customer_id, after=id_after(after), limit=limit)
    return page(rows, limit, lambda row: BookingShape.of(kept(row), None), lambda row: row.id)


@desk.reads("/bookings/{booking_id}", needs="bookings:read", single=True)
def read_booking(tx: Tx, booking_id: UUID) -> BookingShape:
    """Read a booking with its tickets."""
    return BookingShape.of(_found(tx, booking_id), bookings.tickets(tx, booking_id))


@desk.reads("/bookings/{booking_id}/tickets", needs="bookings:read")
def list_booking_tickets(tx: Tx, booking_id: UUID, limit: Limit = 50, after: After = None) -> Page[TicketShape]:
    """List a booking's tickets in human seat order, those given up included."""
    booking = _found(tx, booking_id)
    rows = bookings.tickets(tx, booking_id)
    return part(rows, limit, after, lambda ticket: TicketShape.of(ticket, booking.currency))


@desk.reads("/bookings/{booking_id}/summary", needs="bookings:read", single=True)
def read_summary(tx: Tx, booking_id: UUID) -> SummaryShape:
    """Read a booking's money: what it is for, what was paid and given back, and what is left to pay."""
    booking = _found(tx, booking_id)
    sums = totals(booking)

    def money(value: Money) -> MoneyShape:
        return MoneyShape.of(value.amount, value.currency)

    return SummaryShape(
        booking_id=booking.id,
        booking_number=booking.booking_number,
        status=booking.status,
        payment_status=booking.payment_status,
        ticket_count=booking.ticket_count,
        subtotal=money(sums.subtotal),
        discount_amount=money(sums.discount_amount),
        service_fee=money(sums.service_fee),
        tax_amount=money(sums.tax_amount),
        cancellation_charge=money(sums.cancellation_charge),
        total_amount=money(sums.total_amount),
        paid=money(sums.paid),
        refunded=money(sums.refunded),
        refunds_pending=money(sums.refunds_pending),
        balance=money(sums.balance),
    )


@desk.reads("/bookings/{booking_id}/history", needs="bookings:read")
def read_booking_history(tx: Tx, booking_id: UUID, limit: Limit = 50, after: After = None) -> Page[ChangeShape]:
    """Read who changed the booking from what to what, when and why, newest first."""
    return part(history.of(tx, booking_id)[::-1], limit, after, ChangeShape.model_validate)


@desk.reads("/bookings/{booking_id}/refunds", needs="bookings:read")
def list_booking_refunds(tx: Tx, booking_id: UUID, limit: Limit = 50, after: After = None) -> Page[RefundShape]:
    """List every attempt to send money back, newest first."""
    return part(refunds.of_booking(tx, booking_id)[::-1], limit, after, RefundShape.of)


class Cancelling(Body):
    """The tickets to give up; with a `quote_id` exactly as quoted."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"ticket_ids": ["0198a1b2-0000-7000-8000-000000000004"], "reason": "CUSTOMER_REQUEST"}
        }
    )

    ticket_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]
    reason: GivenReason
    quote_id: UUID | None = None


CANCELLING = ["wrong_state", "payment_in_progress", "quote_stale", "too_late", "ticket_not_valid", "unknown_id"]


@desk.starts("/bookings/{booking_id}/tickets/cancel", needs="bookings:write", problems=CANCELLING, responses=PREVIEWED)
def cancel_tickets(
    tx: Tx, booking_id: UUID, body: Cancelling, preview: Annotated[bool, PREVIEW] = False
) -> Accepted | dict[str, Any]:
    """Give up some tickets of a confirmed booking; the operation ends when the refund has settled."""
    booking = bookings.take(tx, booking_id)
    if preview:
        return _quote(tx, booking, body.ticket_ids)
    return _cancel(tx, booking, body.ticket_ids, reason=body.reason, quote_id=body.quote_id)


@desk.starts(
    "/bookings/{booking_id}", method="DELETE", needs="bookings:write", problems=CANCELLING, responses=PREVIEWED
)
def cancel_booking(
    tx: Tx,
    booking_id: UUID,
    reason: GivenReason = "CUSTOMER_REQUEST",
    preview: Annotated[bool, PREVIEW] = False,
) -> Accepted | dict[str, Any]:
    """Give up the whole booking: an unpaid one is released, a confirmed one is cancelled with all its tickets."""
    booking = bookings.take(tx, booking_id)
    if booking.status == BookingStatus.RESERVED:
        if preview:
            return _release_preview(tx, booking)
        return Accepted(steps.begin_release(tx, booking, reason=reason))
    if preview:
        return _quote(tx, booking, None)
    return _cancel(tx, booking, None, reason=reason, quote_id=None)


def _quote(tx: Tx, booking: Booking, ticket_ids: list[UUID] | None) -> dict[str, Any]:
    """The quote is kept, though nothing of the booking changes: it can be executed as it was shown."""
    numbers, _ = cancelling.quote(tx, booking, ticket_ids)
    quote_id, expires_at = cancelling.freeze(tx, booking, numbers)
    tx.keep = True
    return {"quote_id": str(quote_id), "expires_at": utc(expires_at), **_quote_numbers(numbers)}


def _quote_numbers(numbers: Quote) -> dict[str, Any]:
    lines = [
        {
            "ticket_id": str(line.ticket_id),
            "price": line.price.as_json(),
            "refund": line.refund.as_json(),
            "reason": line.reason,
        }
        for line in numbers.lines
    ]
    return {
        "lines": lines,
        "fee_refund": numbers.fee_refund.as_json(),
        "refund_total": numbers.refund_total.as_json(),
        "balance_after": numbers.balance_after.as_json(),
    }


def _release_preview(tx: Tx, booking: Booking) -> dict[str, Any]:
    """Nothing was paid, so nothing goes back."""
    steps.check_releasable(booking)
    nothing = Money.zero(booking.currency).as_json()
    lines = [
        {
            "ticket_id": str(t.id),
            "price": Money(t.price, booking.currency).as_json(),
            "refund": nothing,
            "reason": "unpaid",
        }
        for t in bookings.tickets(tx, booking.id)
        if t.status == "RESERVED"
    ]
    return {
        "quote_id": None,
        "expires_at": utc(booking.reserved_until),
        "lines": lines,
        "fee_refund": nothing,
        "refund_total": nothing,
        "balance_after": nothing,
    }


def _cancel(tx: Tx, booking: Booking, ticket_ids: list[UUID] | None, *, reason: str, quote_id: UUID | None) -> Accepted:
    operation_id = cancelling.begin(tx, booking, ticket_ids=ticket_ids, reason=reason, quote_id=quote_id)
    outbox.start(
        tx,
        process="Cancellation",
        process_id=f"cancellation/{operation_id}",
        argument={"tenant_id": str(tx.tenant_id), "cancellation_id": str(operation_id)},
    )
    return Accepted(operation_id)


def _found(tx: Tx, booking_id: UUID) -> Booking:
    booking = bookings.find(tx, booking_id)
    if booking is None:
        raise Rejected("not_found", "no such booking")
    return kept(booking)
