"""A booking after it was reserved: begin to pay, settle what the provider said, let it go when its time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import activity

from activities.carrying import carry_out, refusal
from activities.sold import sold_tickets
from activities.telling import tell_customer
from activities.words import Word
from db import booking as bookings
from db import events, ledger, operations, outbox, payments, refunds, seating
from db.booking import Booking
from db.operations import Operation
from db.payments import Payment
from db.seating import Seat
from db.transaction import Database, Tx
from domain import booking as rules
from domain import ledger as postings
from domain.booking import BookingStatus, PaymentStatus, Reason
from domain.money import Money
from domain.states import Refused
from gateways.payments import ProviderState

KIND_PAY, KIND_RELEASE = "payment.process", "booking.cancel"


@dataclass(frozen=True, kw_only=True)
class BookingStep:
    """A booking's process, as its activities know it."""

    tenant_id: UUID
    booking_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReleaseStep:
    """Let an unpaid booking go, as this operation."""

    tenant_id: UUID
    booking_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True)
class SettleStep:
    """What the provider said about a payment's authorisation."""

    tenant_id: UUID
    payment_id: UUID
    word: Word


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What to do next: `capture`, `complete` (captured already), `void`, `refund` (this one), or nothing."""

    then: str
    refund_id: UUID | None = None
    booking_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a booking's process stands: seconds until its seats are free to others, or that it has ended."""

    open: bool
    seconds_left: float


def begin_payment(tx: Tx, booking_id: UUID, *, method: str, provider: str, token: str, grace: timedelta) -> UUID:
    """The request's half of paying: the payment and its operation are written, the seats held over the grace.

    Raises Refused `already_paid`, `booking_ended`, `reservation_expired`, `payment_in_progress`.
    """
    booking = bookings.take(tx, booking_id)
    rules.check_payable(
        BookingStatus(booking.status),
        payment=PaymentStatus(booking.payment_status),
        reserved_until=booking.reserved_until,
        now=booking.read_at,
        reason=Reason(booking.cancellation_reason) if booking.cancellation_reason else None,
    )
    subject = operations.Subject(object="booking", id=booking.id, number=booking.booking_number)
    operation_id = operations.open_operation(
        tx, kind=KIND_PAY, subject=subject, payload={"booking_id": str(booking.id)}
    )
    payments.add(
        tx,
        payment_id=operation_id,
        booking_id=booking.id,
        amount=booking.total_amount,
        currency=booking.currency,
        method=method,
        provider=provider,
        token=token,
    )
    bookings.set_payment_status(tx, booking.id, to=PaymentStatus.PROCESSING)
    until = rules.held_until(booking.reserved_until, payment=PaymentStatus.PROCESSING, grace=grace)
    if bookings.hold_until(tx, booking.id, until=until) < booking.ticket_count:
        # The clock was right when it was asked, and somebody was faster to a seat while we waited for it.
        raise Refused("reservation_expired", "The time to pay for these seats is over; please reserve again.")
    _tell_process(tx, booking, verb="pay", operation_id=operation_id)
    return operation_id


def begin_release(tx: Tx, booking: Booking, *, reason: str) -> UUID:
    """The request's half of giving up an unpaid booking."""
    check_releasable(booking)
    subject = operations.Subject(object="booking", id=booking.id, number=booking.booking_number)
    operation_id = operations.open_operation(tx, kind=KIND_RELEASE, subject=subject, payload={"reason": reason})
    _tell_process(tx, booking, verb="release", operation_id=operation_id)
    return operation_id


def _tell_process(tx: Tx, booking: Booking, *, verb: str, operation_id: UUID) -> None:
    """Who asks before the process has begun to sleep begins it awake: one call to the engine instead of two."""
    process_id = f"booking/{booking.id}"
    outbox.update(
        tx,
        process="Booking",
        process_id=process_id,
        argument={
            "tenant_id": str(tx.tenant_id),
            "booking_id": str(booking.id),
            "reserved_until": booking.reserved_until.isoformat(),
            "capture_at_once": True,
        },
        verb=verb,
        operation_id=operation_id,
        starts_at=None if outbox.spare_start(tx, process_id) else booking.reserved_until,
    )


class BookingActivities:
    """The steps of a booking's process that are one transaction each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="booking.expire", no_thread_cancel_exception=True)
    def expire(self, at: BookingStep) -> Position:
        """End the booking if its time is over by the database's clock; says where it stands then."""
        with self._database.transaction(at.tenant_id) as tx:
            expire_due(tx, at.booking_id)
            return _position(tx, at.booking_id)

    @activity.defn(name="booking.release", no_thread_cancel_exception=True)
    def release(self, at: ReleaseStep) -> Position:
        """End an unpaid booking because the customer asked for it."""

        def work(tx: Tx, operation: Operation) -> Mapping[str, Any]:
            booking = bookings.take(tx, at.booking_id)
            check_releasable(booking)
            freed = bookings.give_up(tx, booking, reason=operation.payload["reason"])
            return {"booking_id": booking.id, "status": "CANCELLED", "seats_released": freed}

        carry_out(self._database, tenant_id=at.tenant_id, operation_id=at.operation_id, work=work)
        with self._database.transaction(at.tenant_id) as tx:
            return _position(tx, at.booking_id)

    @activity.defn(name="booking.settle", no_thread_cancel_exception=True)
    def settle(self, at: SettleStep) -> Settled:
        """One guarded transaction that turns the provider's word into a sale, a decline, or money to give back."""
        with self._database.transaction(at.tenant_id) as tx:
            known = payments.find(tx, at.payment_id)
            assert known is not None, "a payment row is never deleted"
            booking = bookings.take(tx, known.booking_id)
            payment = payments.take(tx, at.payment_id)
            tx.actor = payment.requested_by
            return _settle(tx, booking, payment, at.word)


def check_releasable(booking: Booking) -> None:
    """Whether an unpaid booking may be let go. Raises Refused `wrong_state`, `payment_in_progress`."""
    rules.BOOKING.after(BookingStatus(booking.status), "release")
    if booking.payment_status == PaymentStatus.PROCESSING:
        raise Refused("payment_in_progress", "a payment for this booking is on its way")


def _position(tx: Tx, booking_id: UUID) -> Position:
    """Where the booking stands by the database's clock."""
    booking = bookings.find(tx, booking_id)
    if booking is None or booking.status != BookingStatus.RESERVED:
        return Position(open=False, seconds_left=0.0)
    left = (booking.held_until - bookings.database_now(tx)).total_seconds()
    return Position(open=True, seconds_left=max(left, 0.0))


def expire_due(tx: Tx, booking_id: UUID) -> bool:
    """CANCELLED / EXPIRED if its time, grace included, is over and it is still reserved."""
    booking = bookings.take(tx, booking_id)
    if booking.status != BookingStatus.RESERVED or booking.held_until > bookings.database_now(tx):
        return False
    bookings.give_up(tx, booking, reason=Reason.EXPIRED)
    return True


def _settle(tx: Tx, booking: Booking, payment: Payment, word: Word) -> Settled:
    if payment.status != PaymentStatus.PROCESSING:
        return _told_before(tx, booking, payment)
    payments.note_reference(tx, payment.id, reference=word.reference)
    if booking.status == BookingStatus.CONFIRMED:
        # It sold the seats before and its process was lost: whatever is said of the promise now, the capture decides.
        return _sold(word)
    if word.state in (ProviderState.AUTHORISED, ProviderState.CAPTURED):
        return _take_money(tx, booking, payment, word)
    _fail(tx, payment, code=_decline(word))
    if booking.status == BookingStatus.RESERVED:
        bookings.set_payment_status(tx, booking.id, to=PaymentStatus.PENDING)
        bookings.hold_until(tx, booking.id, until=booking.reserved_until)
    else:
        bookings.set_payment_status(tx, booking.id, to=PaymentStatus.FAILED)
    return Settled(then="nothing", booking_open=booking.status == BookingStatus.RESERVED)


def _decline(word: Word) -> str:
    """Our code for the provider's no."""
    if word.reason in ("card_declined", "insufficient_funds"):
        return word.reason
    return "card_declined" if word.state == ProviderState.DECLINED else "payment_failed"


def _told_before(tx: Tx, booking: Booking, payment: Payment) -> Settled:
    """This step ran before and its answer was lost: say again what it said."""
    late = [refund for refund in refunds.of_booking(tx, booking.id) if refund.cause == f"late/{payment.id}"]
    if late:
        return Settled(then="refund", refund_id=late[-1].id)
    if payment.failure_reason == "reservation_expired":
        return Settled(then="void")
    return Settled(then="nothing", booking_open=booking.status == BookingStatus.RESERVED)


def _take_money(tx: Tx, booking: Booking, payment: Payment, word: Word) -> Settled:
    """The money is certain: sell the seats if they are ours or still free, else let the money go back.

    Money that the provider took by itself was never owed to us: it stands in 2210 until it is decided about.
    """
    is_taken = word.state == ProviderState.CAPTURED
    seats = _seats_to_sell(tx, booking)
    if seats is None and booking.status == BookingStatus.RESERVED:
        bookings.give_up(tx, booking, reason=Reason.EXPIRED)
    now = bookings.database_now(tx)
    taken_at = (word.occurred_at or now) if is_taken else None
    if taken_at is not None:
        _post(tx, payment, postings.late_money, name="late-money", at=taken_at)
        payments.note_paid(tx, booking.id, amount=payment.amount)
    if seats is None:
        return _let_go(tx, booking, payment) if taken_at is None else _give_back(tx, booking, payment, taken_at)
    _sell(tx, booking, payment, seats, at=now)
    if is_taken:
        _post(tx, payment, postings.late_retaken, name="late-retaken", at=now)
    return _sold(word)


def _sold(word: Word) -> Settled:
    """The money is taken next, or the provider has taken it by itself."""
    return Settled(then="complete" if word.state == ProviderState.CAPTURED else "capture")


def _seats_to_sell(tx: Tx, booking: Booking) -> list[Seat] | None:
    """The booking's seats, locked, if each is still held for it or free; None when one is gone, or the event is over."""
    if not _may_be_sold(tx, booking):
        return None
    seats = seating.take_seats(tx, booking.id)
    ours = [seat for seat in seats if seat.free or (seat.live_booking_id == booking.id and seat.status == "RESERVED")]
    return seats if len(ours) == len(seats) else None


def _may_be_sold(tx: Tx, booking: Booking) -> bool:
    """In time; or ended by the clock and nothing else, while there still is an event to go to."""
    if booking.status == BookingStatus.RESERVED and booking.held_until > booking.read_at:
        return True
    if booking.status == BookingStatus.CANCELLED and booking.cancellation_reason != Reason.EXPIRED:
        return False
    return events.find(tx, booking.event_id).end_at > booking.read_at


def _sell(tx: Tx, booking: Booking, payment: Payment, seats: Sequence[Seat], *, at: datetime) -> None:
    """Posting 8, at the moment of the confirmation."""
    is_late = booking.status != BookingStatus.RESERVED
    if is_late:
        rules.retake(BookingStatus(booking.status), reason=Reason(booking.cancellation_reason or Reason.EXPIRED))
    sold = bookings.sell(tx, booking, seats=seats, at=at, reason="LATE_PAYMENT" if is_late else None)
    ledger.post(
        tx,
        postings.sale(sold_tickets(sold, currency=booking.currency)),
        key=f"sale/{payment.id}",
        subject_object="booking",
        subject_id=booking.id,
        occurred_at=at,
    )


def _let_go(tx: Tx, booking: Booking, payment: Payment) -> Settled:
    """A seat is gone and the money was only promised: nothing is sold, nothing is taken, the customer is told."""
    _fail(tx, payment, code="reservation_expired")
    payments.owe_void(tx, payment.id)
    bookings.set_payment_status(tx, booking.id, to=PaymentStatus.FAILED)
    tell_customer(tx, booking, letter="reservation_lost")
    return Settled(then="void")


def _give_back(tx: Tx, booking: Booking, payment: Payment, taken_at: datetime) -> Settled:
    """A seat is gone and the money was taken: nothing is sold, all of it goes back (postings 11b, 14)."""
    payments.end(tx, payment, status=PaymentStatus.COMPLETED, at=taken_at)
    bookings.set_payment_status(tx, booking.id, to=PaymentStatus.COMPLETED)
    _post(tx, payment, postings.late_refundable, name="late-refundable", at=bookings.database_now(tx))
    refund_id = refunds.request(
        tx,
        booking_id=booking.id,
        payment_id=payment.id,
        cancellation_id=None,
        cause=f"late/{payment.id}",
        attempt=1,
        amount=Money(payment.amount, payment.currency),
        reason=Reason.EXPIRED,
    )
    words = "the seats were sold to others before the money came; all of it goes back"
    error = refusal(Refused("reservation_expired", words))
    operations.fail(tx, payment.id, error=error, result=payment.outcome(PaymentStatus.COMPLETED))
    return Settled(then="refund", refund_id=refund_id)


def _fail(tx: Tx, payment: Payment, *, code: str) -> None:
    payments.end(tx, payment, status=PaymentStatus.FAILED, failure_reason=code)
    words = {
        "card_declined": "the card was declined",
        "insufficient_funds": "the account has not enough money",
        "reservation_expired": "the seats were sold to others before the payment was certain; nothing was taken",
    }.get(code, "the payment failed at the provider")
    operations.fail(tx, payment.id, error=refusal(Refused(code, words)), result=payment.outcome(PaymentStatus.FAILED))


def _post(tx: Tx, payment: Payment, posting: Any, *, name: str, at: datetime) -> None:
    ledger.post(
        tx,
        posting(Money(payment.amount, payment.currency)),
        key=f"{name}/{payment.id}",
        subject_object="booking",
        subject_id=payment.booking_id,
        occurred_at=at,
    )
