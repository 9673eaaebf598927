"""Writing a queued letter and handing it to the mail server, with its documents, under a Message-ID that never changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from activities.documents import request_again
from db import access, documents, refunds
from db import booking as bookings
from db.documents import Document
from db.outbox import Message
from db.transaction import Database, Tx
from domain.money import Money
from gateways import mail
from gateways.mail import Attachment, Letter
from gateways.storage import DamagedDocument, NoSuchDocument, Storage
from reports import contents, letters

SENDER = "no-reply@allotment.invalid"


class NotYet(Exception):
    """A document of this letter is still being made."""


def post_letter(database: Database, message: Message, *, storage: Storage, smtp_url: str) -> None:
    """Hand one letter over.

    Raises NotYet while a document is missing, or is made again because its bytes were lost, and
    gateways.mail.MailUndeliverable when the server did not take it.
    """
    with database.transaction(message.tenant_id) as tx:
        ready = [_ready(tx, UUID(document_id)) for document_id in message.payload["documents"]]
        written = _write(tx, message.payload["letter"], UUID(message.payload["subject_id"]))
        # These two would end the name within the address, and no letter of this agency would go.
        sender = access.tenant(tx).name.translate({ord("<"): None, ord(">"): None})
    attachments = _attached(database, message.tenant_id, [document for document in ready if document], storage)
    letter = Letter(
        message_id=f"<{message.id}@allotment.invalid>",
        to=message.payload["to"],
        subject=written.subject,
        text=written.text,
        html=written.html,
        attachments=attachments,
        sender=f"{sender} <{SENDER}>",
    )
    mail.post(letter, smtp_url=smtp_url)


def _attached(
    database: Database, tenant_id: UUID, ready: Sequence[Document], storage: Storage
) -> tuple[Attachment, ...]:
    """The papers themselves. Raises NotYet, once those have been asked for again whose bytes are lost or damaged."""
    attachments, lost = [], []
    for document in ready:
        try:
            content = storage.get(document.storage_key or "")
        except (NoSuchDocument, DamagedDocument):
            lost.append(document)
        else:
            attachments.append(Attachment(document.filename, document.media_type, content))
    if lost:
        with database.transaction(tenant_id) as tx:
            for document in lost:
                request_again(tx, document.id)
        raise NotYet(f"{lost[0].kind} was lost and is made again")
    return tuple(attachments)


def _ready(tx: Tx, document_id: UUID) -> Document | None:
    """The stored document; None for one that cannot be made, so that the letter goes without it."""
    document = documents.find(tx, document_id)
    if document is None or document.failure:
        return None
    if document.storage_key is None:
        raise NotYet(f"{document.kind} is not rendered yet")
    return document


def _write(tx: Tx, letter: str, subject_id: UUID) -> letters.Message:
    return WRITERS[letter](tx, subject_id)


def _order_to_supplier(tx: Tx, order_id: UUID) -> letters.Message:
    return letters.order_to_supplier(contents.purchase_order(tx, order_id))


def _order_reminder(tx: Tx, order_id: UUID) -> letters.Message:
    order = contents.purchase_order(tx, order_id)
    lapses: date = tx.value(
        """SELECT (COALESCE((payload ->> 'lapses_at')::timestamptz, now()) AT TIME ZONE t.timezone)::date
           FROM tenants t LEFT JOIN operations o ON o.subject_id = %s AND o.kind = 'purchase_order.submit'
           WHERE t.id = %s ORDER BY o.id DESC LIMIT 1""",
        (order_id, tx.tenant_id),
    )
    return letters.order_reminder(order, answer_by=lapses)


def _order_lapsed(tx: Tx, order_id: UUID) -> letters.Message:
    return letters.order_lapsed(contents.purchase_order(tx, order_id))


def _receipt_to_buyer(tx: Tx, receipt_id: UUID) -> letters.Message:
    return letters.receipt_to_buyer(contents.receipt(tx, receipt_id))


def _receipt_to_supplier(tx: Tx, receipt_id: UUID) -> letters.Message:
    return letters.receipt_to_supplier(contents.receipt(tx, receipt_id))


def _booking_confirmed(tx: Tx, booking_id: UUID) -> letters.Message:
    return letters.booking_confirmed(contents.booking(tx, booking_id))


def _payment_failed(tx: Tx, booking_id: UUID) -> letters.Message:
    return letters.payment_failed(contents.booking(tx, booking_id, only=_all_tickets(tx, booking_id)))


def _reservation_lost(tx: Tx, booking_id: UUID) -> letters.Message:
    return letters.reservation_lost(contents.booking(tx, booking_id, only=_all_tickets(tx, booking_id)))


def _booking_cancelled(tx: Tx, refund_id: UUID) -> letters.Message:
    refund = refunds.find(tx, refund_id)
    assert refund is not None, "the letter is about this refund"
    given_up = tx.values(
        "SELECT unnest(ARRAY(SELECT jsonb_array_elements_text(payload -> 'ticket_ids')))::uuid FROM operations WHERE id = %s",
        (refund.cancellation_id,),
    )
    told = contents.booking(tx, refund.booking_id, only=given_up)
    kept = contents.booking(tx, refund.booking_id).seats
    return letters.booking_cancelled(told, refund=Money(refund.amount, refund.currency), kept=kept)


def _late_money_refunded(tx: Tx, refund_id: UUID) -> letters.Message:
    refund = refunds.find(tx, refund_id)
    assert refund is not None, "the letter is about this refund"
    told = contents.booking(tx, refund.booking_id, only=_all_tickets(tx, refund.booking_id))
    return letters.late_money_refunded(told, refund=Money(refund.amount, refund.currency))


def _all_tickets(tx: Tx, booking_id: UUID) -> list[UUID]:
    return [ticket.id for ticket in bookings.tickets(tx, booking_id)]


WRITERS: dict[str, Callable[[Tx, UUID], letters.Message]] = {
    "order_to_supplier": _order_to_supplier,
    "order_reminder": _order_reminder,
    "order_lapsed": _order_lapsed,
    "receipt_to_buyer": _receipt_to_buyer,
    "receipt_to_supplier": _receipt_to_supplier,
    "booking_confirmed": _booking_confirmed,
    "booking_cancelled": _booking_cancelled,
    "payment_failed": _payment_failed,
    "reservation_lost": _reservation_lost,
    "late_money_refunded": _late_money_refunded,
}
