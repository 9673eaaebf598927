"""Cancelling: quote what tickets give back, then execute exactly that in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import activity

from activities.carrying import plain, refusal
from activities.sold import cancelled_tickets, held_tickets, totals
from db import booking as bookings
from db import events, ledger, operations, payments, refunds, seating
from db.booking import Booking, Kept, Ticket
from db.operations import Operation
from db.transaction import Database, Tx
from domain import booking as rules
from domain import ledger as postings
from domain import refunds as policies
from domain.booking import BookingStatus, PaymentStatus
from domain.refunds import Policy, Quote
from domain.states import Refused

KIND_TICKETS, KIND_BOOKING = "booking.cancel_tickets", "booking.cancel"
QUOTE_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class CancellationStep:
    """A cancellation's process; its id is its operation's."""

    tenant_id: UUID
    cancellation_id: UUID


@dataclass(frozen=True, kw_only=True)
class Executed:
    """The refund to send, if any money goes back."""

    refund_id: UUID | None = None


def quote(
    tx: Tx, booking: Booking, ticket_ids: Sequence[UUID] | None, *, asked_at: datetime | None = None
) -> tuple[Quote, list[Ticket]]:
    """What giving up these tickets (None: all that are left) gives back now, or gave back when it was asked for.

    Raises Refused `unknown_id`, `duplicate_ticket`, `wrong_state`, `payment_in_progress`, `ticket_not_valid`, `too_late`.
    """
    held = bookings.tickets(tx, booking.id)
    chosen = [t for t in held if t.status == "CONFIRMED"] if ticket_ids is None else _chosen(held, ticket_ids)
    rules.BOOKING.after(BookingStatus(booking.status), "cancel", to=BookingStatus.CONFIRMED)
    if booking.payment_status in (PaymentStatus.PROCESSING, PaymentStatus.PENDING):
        raise Refused("payment_in_progress", "the payment of this booking is still on its way")
    numbers = policies.quote(
        held_tickets(chosen, currency=booking.currency),
        totals=totals(booking),
        policy=Policy.of_snapshot(booking.policy),
        starts_at=events.find(tx, booking.event_id).start_at,
        now=asked_at or bookings.database_now(tx),
    )
    return numbers, chosen


def _chosen(held: Sequence[Ticket], ticket_ids: Sequence[UUID]) -> list[Ticket]:
    by_id = {ticket.id: ticket for ticket in held}
    seen: set[UUID] = set()
    for place, ticket_id in enumerate(ticket_ids):
        if ticket_id not in by_id:
            raise Refused("unknown_id", "the booking has no such ticket", pointer=f"/ticket_ids/{place}")
        if ticket_id in seen:
            raise Refused("duplicate_ticket", "the same ticket twice", pointer=f"/ticket_ids/{place}")
        seen.add(ticket_id)
    return [ticket for ticket in held if ticket.id in seen]


def freeze(tx: Tx, booking: Booking, numbers: Quote) -> tuple[UUID, datetime]:
    """Keep a quote so that it can be executed as it was shown: its id and its end."""
    return refunds.keep_quote(
        tx,
        booking_id=booking.id,
        fingerprint=policies.fingerprint(numbers),
        ticket_ids=[line.ticket_id for line in numbers.lines],
        life=QUOTE_LIFE,
    )


def begin(tx: Tx, booking: Booking, *, ticket_ids: Sequence[UUID] | None, reason: str, quote_id: UUID | None) -> UUID:
    """The request's half: the numbers are those of the quote, or of now, and the operation carries their fingerprint.

    Raises Refused as `quote` does, and with a `quote_id` `unknown_id` and `quote_stale`.
    """
    frozen = _frozen(tx, booking, quote_id) if quote_id is not None else None
    try:
        numbers, _ = quote(tx, booking, ticket_ids)
    except Refused as refused:
        if frozen is None:
            raise
        raise _as_stale(refused) from None
    fingerprint = policies.fingerprint(numbers)
    if frozen is not None and (not frozen.living or frozen.fingerprint != fingerprint):
        raise Refused("quote_stale", "The numbers quoted are no longer the numbers due; ask for a new quote.")
    subject = operations.Subject(object="booking", id=booking.id, number=booking.booking_number)
    payload = {
        "reason": reason,
        "fingerprint": fingerprint,
        "ticket_ids": [str(line.ticket_id) for line in numbers.lines],
        "quoted": frozen is not None,
    }
    kind = KIND_BOOKING if ticket_ids is None else KIND_TICKETS
    return operations.open_operation(
        tx, kind=kind, subject=subject, payload=payload, total=len(numbers.lines), unit="tickets"
    )


def _as_stale(refused: Refused) -> Refused:
    """The refusal of what was quoted: that something of it is no longer so makes the quote stale."""
    if refused.code not in ("ticket_not_valid", "wrong_state"):
        return refused
    return Refused("quote_stale", f"Since this was quoted: {refused.words}", facts=refused.facts)


def _frozen(tx: Tx, booking: Booking, quote_id: UUID) -> refunds.Quote:
    found = refunds.quote(tx, quote_id)
    if found is None or found.booking_id != booking.id:
        raise Refused("unknown_id", "this booking has no such quote", pointer="/quote_id")
    return found


class CancellingActivities:
    """The one transaction of a cancellation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="cancelling.execute", no_thread_cancel_exception=True)
    def execute(self, at: CancellationStep) -> Executed:
        """Tickets given up, seats sellable, refund requested, books posted: all at once, exactly as quoted, or refused."""
        with self._database.transaction(at.tenant_id) as tx:
            operation = operations.take(tx, at.cancellation_id)
            tx.actor = operation.requested_by
            if operation.ended or "outcome" in operation.payload:
                return _told_before(tx, operation)
            try:
                with tx.savepoint():
                    return _execute(tx, operation)
            except Refused as refused:
                said = _as_stale(refused) if operation.payload.get("quoted") else refused
                operations.fail(tx, operation.id, error=refusal(said))
                return Executed()


def _told_before(tx: Tx, operation: Operation) -> Executed:
    attempts = [r for r in refunds.of_booking(tx, operation.subject_id) if r.cancellation_id == operation.id]
    return Executed(refund_id=attempts[-1].id if attempts and not operation.ended else None)


def _execute(tx: Tx, operation: Operation) -> Executed:
    """Whoever asked before the event's start asked in time, however long it took us to get here."""
    booking = bookings.take(tx, operation.subject_id)
    ticket_ids = [UUID(one) for one in operation.payload["ticket_ids"]]
    numbers, tickets = quote(tx, booking, ticket_ids, asked_at=operation.created_at)
    policies.check_fresh(numbers, fingerprint_then=operation.payload["fingerprint"])
    seating.lock_seats(tx, [ticket.event_seat_id for ticket in tickets])
    at, reason = bookings.database_now(tx), operation.payload["reason"]
    refunds.add_cancellation(
        tx,
        cancellation_id=operation.id,
        booking_id=booking.id,
        reason=reason,
        fingerprint=operation.payload["fingerprint"],
        totals={"refund_total": numbers.refund_total.amount, "fee_refund": numbers.fee_refund.amount},
    )
    ledger.post(
        tx,
        postings.cancellation(cancelled_tickets(tickets, lines=numbers.lines, currency=booking.currency)),
        key=f"cancellation/{operation.id}",
        subject_object="booking",
        subject_id=booking.id,
        occurred_at=at,
        reason=reason,
    )
    seating.end_tickets(tx, [ticket.id for ticket in tickets], reason=reason, at=at)
    kept = _kept(booking, numbers)
    bookings.keep(tx, booking, kept, reason=reason, at=at)
    return _request_refund(tx, operation, booking, numbers)


def _kept(booking: Booking, numbers: Quote) -> Kept:
    after = policies.after_cancel(totals(booking), numbers)
    went_back = numbers.refund_total.is_positive or booking.refunded > 0 or booking.refunds_pending > 0
    ended = rules.status_after_cancelling(after.ticket_count, paid_back=went_back)
    return Kept(
        ticket_count=after.ticket_count,
        subtotal=after.subtotal.amount,
        discount_amount=after.discount_amount.amount,
        service_fee=after.service_fee.amount,
        tax_amount=after.tax_amount.amount,
        cancellation_charge=after.cancellation_charge.amount,
        total_amount=after.total_amount.amount,
        status=rules.BOOKING.after(BookingStatus(booking.status), "cancel", to=ended),
    )


def _request_refund(tx: Tx, operation: Operation, booking: Booking, numbers: Quote) -> Executed:
    outcome = _outcome(booking, numbers)
    if not numbers.refund_total.is_positive:
        operations.succeed(tx, operation.id, result=outcome)
        return Executed()
    operations.keep_outcome(tx, operation.id, outcome=outcome)
    operations.begin(tx, operation.id)
    paid = [payment for payment in payments.of_booking(tx, booking.id) if payment.status == PaymentStatus.COMPLETED]
    return Executed(
        refund_id=refunds.request(
            tx,
            booking_id=booking.id,
            payment_id=paid[0].id,
            cancellation_id=operation.id,
            cause=f"cancellation/{operation.id}",
            attempt=1,
            amount=numbers.refund_total,
            reason=operation.payload["reason"],
        )
    )


def _outcome(booking: Booking, numbers: Quote) -> Mapping[str, Any]:
    outcome: dict[str, Any] = plain(
        {
            "booking_id": booking.id,
            "cancelled_tickets": [line.ticket_id for line in numbers.lines],
            "refund_total": numbers.refund_total.as_json(),
            "fee_refund": numbers.fee_refund.as_json(),
        }
    )
    return outcome
