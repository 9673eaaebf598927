"""Sending money back: submit an attempt, send it, record what became of it, and try again or hand it to people."""

from dataclasses import dataclass
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.carrying import refusal
from activities.telling import tell_customer
from activities.words import Word
from db import booking as bookings
from db import ledger, operations, payments, refunds
from db.refunds import Refund
from db.transaction import Database, Tx
from domain import ledger as postings
from domain.booking import payment_after_refund
from domain.money import Money
from domain.refunds import REFUND, RefundStatus
from domain.states import Refused
from gateways.payments import PaymentProvider, ProviderState

ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class RefundStep:
    """One attempt to send money back."""

    tenant_id: UUID
    refund_id: UUID


@dataclass(frozen=True, kw_only=True)
class RefundWord:
    """What the provider said about an attempt."""

    tenant_id: UUID
    refund_id: UUID
    word: Word


@dataclass(frozen=True, kw_only=True)
class NextAttempt:
    """The attempt that follows a refused one; None when it settled or people have to take over."""

    refund_id: UUID | None = None


class RefundActivities:
    """The steps of a refund."""

    def __init__(self, database: Database, provider: PaymentProvider) -> None:
        self._database = database
        self._provider = provider

    @activity.defn(name="refunds.submit", no_thread_cancel_exception=True)
    def submit(self, at: RefundStep) -> None:
        """REQUESTED -> SUBMITTED, before the provider hears of it."""
        with self._database.transaction(at.tenant_id) as tx:
            refund = refunds.take(tx, at.refund_id)
            if refund.status == RefundStatus.REQUESTED:
                refunds.move(tx, refund, to=RefundStatus.SUBMITTED)
                if refund.cancellation_id:
                    operations.wait(tx, refund.cancellation_id, waiting_for="the refund")

    @activity.defn(name="refunds.send", no_thread_cancel_exception=True)
    def send(self, at: RefundStep) -> Word:
        """Send the money back under the attempt's key."""
        return self._send(at)

    @activity.defn(name="refunds.find_out", no_thread_cancel_exception=True)
    def find_out(self, at: RefundStep) -> Word:
        """The provider's final word on an attempt, looked up by its key until it is final."""
        refund, _ = self._read(at)
        word = Word.of(self._provider.look_up(key=_key(refund)), about=_money(refund))
        if word.state == ProviderState.MISSING:
            word = self._send(at)
        if not word.final:
            raise ApplicationError(
                "the provider has not decided", type="Undecided", category=ApplicationErrorCategory.BENIGN
            )
        return word

    @activity.defn(name="refunds.record", no_thread_cancel_exception=True)
    def record(self, at: RefundWord) -> NextAttempt:
        """Book a settled refund and end its operation; or open the next attempt, or escalate after the last."""
        with self._database.transaction(at.tenant_id) as tx:
            known = refunds.find(tx, at.refund_id)
            assert known is not None, "a refund row is never deleted"
            bookings.take(tx, known.booking_id)
            refund = refunds.take(tx, at.refund_id)
            if refund.cancellation_id:
                tx.actor = operations.take(tx, refund.cancellation_id).requested_by
            if refund.status != RefundStatus.SUBMITTED:
                return _told_before(tx, refund)
            if at.word.state == ProviderState.REFUNDED:
                _settle(tx, refund, at.word)
                return NextAttempt()
            return _try_again(tx, refund, at.word)

    def _read(self, at: RefundStep) -> tuple[Refund, str]:
        with self._database.transaction(at.tenant_id) as tx:
            refund = refunds.find(tx, at.refund_id)
            assert refund is not None, "a refund row is never deleted"
            payment = payments.find(tx, refund.payment_id)
        assert payment is not None, "a refund has a payment"
        return refund, payment.provider_transaction_id or ""

    def _send(self, at: RefundStep) -> Word:
        refund, reference = self._read(at)
        answer = self._provider.refund(key=_key(refund), authorisation=reference, amount=_money(refund))
        return Word.of(answer, about=_money(refund))


def _key(refund: Refund) -> str:
    """From the cause and the attempt: a retry is the same call, a new attempt is a new one."""
    return f"{refund.cause}/refund/{refund.attempt}"


def _money(refund: Refund) -> Money:
    return Money(refund.amount, refund.currency)


def _settle(tx: Tx, refund: Refund, word: Word) -> None:
    """Posting 14, and the booking's payment axis."""
    at = word.occurred_at or bookings.database_now(tx)
    refunds.move(tx, refund, to=RefundStatus.SETTLED, provider_refund_id=word.reference)
    ledger.post(
        tx,
        postings.refund_settled(_money(refund)),
        key=f"refund-settled/{refund.id}",
        subject_object="booking",
        subject_id=refund.booking_id,
        occurred_at=at,
    )
    payments.note_refunded(tx, refund.payment_id, refund.booking_id, amount=refund.amount)
    booking = bookings.take(tx, refund.booking_id)
    axis = payment_after_refund(
        Money(booking.paid, booking.currency), refunded=Money(booking.refunded, booking.currency)
    )
    bookings.set_payment_status(tx, booking.id, to=axis)
    if refund.cancellation_id:
        _end_cancellation(tx, refund)
    letter = "booking_cancelled" if refund.cancellation_id else "late_money_refunded"
    tell_customer(tx, booking, letter=letter, subject_id=refund.id)


def _end_cancellation(tx: Tx, refund: Refund) -> None:
    operation = operations.take(tx, refund.cancellation_id or refund.id)
    kept = operation.payload.get("outcome", {})
    operations.succeed(tx, operation.id, result={**kept, "refund_id": str(refund.id), "refund_status": "SETTLED"})


def _try_again(tx: Tx, refund: Refund, word: Word) -> NextAttempt:
    reason = word.reason or "refund_refused"
    if refund.attempt >= ATTEMPTS:
        refunds.move(tx, refund, to=REFUND.after(RefundStatus(refund.status), "escalate"), failure_reason=reason)
        if refund.cancellation_id:
            words = f"the provider refused the refund {ATTEMPTS} times; staff must send it another way"
            operations.fail(tx, refund.cancellation_id, error=refusal(Refused("refund_failed", words)))
        return NextAttempt()
    refunds.move(tx, refund, to=RefundStatus.FAILED, failure_reason=reason)
    return NextAttempt(
        refund_id=refunds.request(
            tx,
            booking_id=refund.booking_id,
            payment_id=refund.payment_id,
            cancellation_id=refund.cancellation_id,
            cause=refund.cause,
            attempt=refund.attempt + 1,
            amount=Money(refund.amount, refund.currency),
            reason=refund.reason,
        )
    )


def _told_before(tx: Tx, refund: Refund) -> NextAttempt:
    """This step ran before and its answer was lost."""
    if refund.status != RefundStatus.FAILED:
        return NextAttempt()
    later = [
        r for r in refunds.of_booking(tx, refund.booking_id) if r.cause == refund.cause and r.attempt > refund.attempt
    ]
    return NextAttempt(refund_id=later[0].id if later else None)
