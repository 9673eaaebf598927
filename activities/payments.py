"""Calling the payment provider, and recording what it captured; never both in one step."""

from dataclasses import dataclass
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.carrying import refusal
from activities.documents import request_tickets
from activities.sold import sold_tickets
from activities.telling import tell_customer
from activities.words import Word
from db import booking as bookings
from db import ledger, operations, payments
from db.booking import Booking
from db.payments import Payment
from db.transaction import Database, Tx
from domain import ledger as postings
from domain.booking import BookingStatus, PaymentStatus, Reason
from domain.money import Money
from domain.states import Refused
from gateways.payments import PaymentProvider, ProviderAnswer, ProviderState


@dataclass(frozen=True, kw_only=True)
class PaymentStep:
    """A payment, as its provider calls know it."""

    tenant_id: UUID
    payment_id: UUID


@dataclass(frozen=True, kw_only=True)
class FindOutStep:
    """A call whose answer did not come: `call` is authorise, capture or void."""

    tenant_id: UUID
    payment_id: UUID
    call: str


@dataclass(frozen=True, kw_only=True)
class CaptureStep:
    """What the provider said about taking the money."""

    tenant_id: UUID
    payment_id: UUID
    word: Word


class PaymentActivities:
    """The provider's calls and their record."""

    def __init__(self, database: Database, provider: PaymentProvider) -> None:
        self._database = database
        self._provider = provider

    @activity.defn(name="payments.authorise", no_thread_cancel_exception=True)
    def authorise(self, at: PaymentStep) -> Word:
        """Ask for the promise of the money; UNKNOWN when no answer came in time.

        Where the card's token is forgotten, the promise was given: a process that the engine lost is begun again after
        the sale. What it was is looked up, for no card could be asked any more.
        """
        payment = self._read(at.tenant_id, at.payment_id)
        if payment.token is None and _money(payment).is_positive:
            return Word.of(self._provider.look_up(key=_key("authorise", payment)), about=_money(payment))
        return self._call("authorise", payment)

    @activity.defn(name="payments.capture", no_thread_cancel_exception=True)
    def capture(self, at: PaymentStep) -> Word:
        """Take the promised money."""
        return self._call("capture", self._read(at.tenant_id, at.payment_id))

    @activity.defn(name="payments.void", no_thread_cancel_exception=True)
    def void(self, at: PaymentStep) -> Word:
        """Let a promise go of which nothing was taken."""
        return self._call("void", self._read(at.tenant_id, at.payment_id))

    @activity.defn(name="payments.find_out", no_thread_cancel_exception=True)
    def find_out(self, at: FindOutStep) -> Word:
        """The provider's final word on a call: looked up by the call's own key, asked again until it is final.

        A call that never arrived is sent again with the same key; a new key is never used.
        """
        payment = self._read(at.tenant_id, at.payment_id)
        word = Word.of(self._provider.look_up(key=_key(at.call, payment)), about=_money(payment))
        if word.state == ProviderState.MISSING:
            word = self._call(at.call, payment)
        if not word.final:
            self._wait_for_provider(at)
            raise ApplicationError(
                "the provider has not decided", type="Undecided", category=ApplicationErrorCategory.BENIGN
            )
        return word

    @activity.defn(name="payments.record_capture", no_thread_cancel_exception=True)
    def record_capture(self, at: CaptureStep) -> bool:
        """Book the captured money, or reverse the sale when the provider finally refused; whether it was captured."""
        with self._database.transaction(at.tenant_id) as tx:
            known = payments.find(tx, at.payment_id)
            assert known is not None, "a payment row is never deleted"
            booking = bookings.take(tx, known.booking_id)
            payment = payments.take(tx, at.payment_id)
            tx.actor = payment.requested_by
            if payment.status != PaymentStatus.PROCESSING:
                return payment.status == PaymentStatus.COMPLETED
            if at.word.state != ProviderState.CAPTURED:
                _reverse(tx, booking, payment)
                return False
            _complete(tx, booking, payment, at.word)
            return True

    @activity.defn(name="payments.record_void", no_thread_cancel_exception=True)
    def record_void(self, at: PaymentStep) -> None:
        """The provider has let the promise go, or never will: either way it has been asked."""
        with self._database.transaction(at.tenant_id) as tx:
            payments.note_voided(tx, at.payment_id)

    def _read(self, tenant_id: UUID, payment_id: UUID) -> Payment:
        with self._database.transaction(tenant_id) as tx:
            payment = payments.find(tx, payment_id)
        assert payment is not None, "a payment row is never deleted"
        return payment

    def _wait_for_provider(self, at: FindOutStep) -> None:
        with self._database.transaction(at.tenant_id) as tx:
            operations.wait(tx, at.payment_id, waiting_for="the payment provider")

    def _call(self, call: str, payment: Payment) -> Word:
        """One call under its key; nothing is asked of a provider when nothing is due."""
        if not _money(payment).is_positive:
            return Word(state=DONE[call])
        return Word.of(self._asked(call, payment), about=_money(payment))

    def _asked(self, call: str, payment: Payment) -> ProviderAnswer:
        key, reference = _key(call, payment), payment.provider_transaction_id or ""
        if call == "authorise":
            return self._provider.authorise(
                key=key, amount=_money(payment), token=payment.token or "", description=payment.booking_number
            )
        if call == "capture":
            return self._provider.capture(key=key, authorisation=reference, amount=_money(payment))
        return self._provider.void(key=key, authorisation=reference)


DONE = {"authorise": ProviderState.AUTHORISED, "capture": ProviderState.CAPTURED, "void": ProviderState.VOIDED}


def _money(payment: Payment) -> Money:
    return Money(payment.amount, payment.currency)


def _key(call: str, payment: Payment) -> str:
    """From the process and the step, so that a retry is the same call to the provider."""
    return f"booking/{payment.booking_id}/{payment.id}/{call}"


def _complete(tx: Tx, booking: Booking, payment: Payment, word: Word) -> None:
    at = word.occurred_at or bookings.database_now(tx)
    money = _money(payment)
    if money.is_positive and not ledger.is_posted(tx, f"late-money/{payment.id}"):
        ledger.post(
            tx,
            postings.captured(money),
            key=f"captured/{payment.id}",
            subject_object="booking",
            subject_id=booking.id,
            occurred_at=at,
        )
        payments.note_paid(tx, booking.id, amount=payment.amount)
    payments.end(tx, payment, status=PaymentStatus.COMPLETED, at=at)
    bookings.set_payment_status(tx, booking.id, to=PaymentStatus.COMPLETED)
    operations.succeed(
        tx,
        payment.id,
        result=payment.outcome(PaymentStatus.COMPLETED),
    )
    _send_tickets(tx, booking)


def _send_tickets(tx: Tx, booking: Booking) -> None:
    """One mail per booking, with all its tickets in one file."""
    tell_customer(tx, booking, letter="booking_confirmed", documents=[request_tickets(tx, booking.id)])


def _reverse(tx: Tx, booking: Booking, payment: Payment) -> None:
    """Posting 10: the provider promised and then refused for good; the sale never was."""
    if booking.status == BookingStatus.CONFIRMED:
        sold = [ticket for ticket in bookings.tickets(tx, booking.id) if ticket.status == "CONFIRMED"]
        bookings.give_up(tx, booking, reason=Reason.PAYMENT_FAILED, payment_status=PaymentStatus.FAILED)
        ledger.post(
            tx,
            postings.sale_reversed(sold_tickets(sold, currency=booking.currency)),
            key=f"sale-reversed/{payment.id}",
            subject_object="booking",
            subject_id=booking.id,
            occurred_at=bookings.database_now(tx),
        )
    payments.end(tx, payment, status=PaymentStatus.FAILED, failure_reason="capture_refused")
    words = "the provider refused to take the money it had promised; the sale was reversed"
    operations.fail(
        tx, payment.id, error=refusal(Refused("capture_refused", words)), result=payment.outcome(PaymentStatus.FAILED)
    )
    tell_customer(tx, booking, letter="payment_failed")
