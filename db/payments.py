"""Payments: one try to pay a booking, from the request to the provider's last word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from db import history
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """A payment; its id is its operation's. The token is forgotten when the provider has spoken."""

    id: UUID
    booking_id: UUID
    booking_number: str
    status: str
    amount: Decimal
    currency: str
    method: str
    provider: str
    token: str | None
    provider_transaction_id: str | None
    failure_reason: str | None
    refunded_amount: Decimal
    created_at: datetime
    captured_at: datetime | None
    ended_at: datetime | None
    requested_by: str

    def outcome(self, status: str) -> dict[str, str]:
        """What its operation ends with, whatever became of it."""
        return {"payment_id": str(self.id), "booking_id": str(self.booking_id), "status": status}


COLUMNS = """p.id, p.booking_id, b.booking_number, p.status, p.amount, p.currency, p.method, p.provider, p.token,
    p.provider_transaction_id, p.failure_reason, p.refunded_amount, p.created_at, p.captured_at, p.ended_at, o.requested_by"""
FROM = """FROM payments p JOIN bookings b ON b.tenant_id = p.tenant_id AND b.id = p.booking_id
    JOIN operations o ON o.tenant_id = p.tenant_id AND o.id = p.operation_id"""


def find(tx: Tx, payment_id: UUID) -> Payment | None:
    """One payment."""
    return tx.maybe(f"SELECT {COLUMNS} {FROM} WHERE p.id = %s", (payment_id,), into=Payment)


def take(tx: Tx, payment_id: UUID) -> Payment:
    """The payment, locked (after its booking)."""
    return tx.one(f"SELECT {COLUMNS} {FROM} WHERE p.id = %s FOR UPDATE OF p", (payment_id,), into=Payment)


def of_booking(tx: Tx, booking_id: UUID) -> list[Payment]:
    """Every try to pay a booking, newest first."""
    return tx.all(f"SELECT {COLUMNS} {FROM} WHERE p.booking_id = %s ORDER BY p.id DESC", (booking_id,), into=Payment)


def add(
    tx: Tx,
    *,
    payment_id: UUID,
    booking_id: UUID,
    amount: Decimal,
    currency: str,
    method: str,
    provider: str,
    token: str,
) -> None:
    """A payment is on its way; the index on PROCESSING lets only one be."""
    tx.run(
        """INSERT INTO payments (tenant_id, id, operation_id, booking_id, amount, currency, method, provider, token)
           VALUES (%(tenant)s, %(id)s, %(id)s, %(booking)s, %(amount)s, %(currency)s, %(method)s, %(provider)s, %(token)s)""",
        {
            "tenant": tx.tenant_id,
            "id": payment_id,
            "booking": booking_id,
            "amount": amount,
            "currency": currency,
            "method": method,
            "provider": provider,
            "token": token,
        },
    )
    history.note(tx, object="payment", subject_id=payment_id, to_status="PROCESSING", operation_id=payment_id)


def note_reference(tx: Tx, payment_id: UUID, *, reference: str | None) -> None:
    """The provider's own name for it; the card's token is not needed any more."""
    tx.run(
        "UPDATE payments SET provider_transaction_id = COALESCE(%s, provider_transaction_id), token = NULL WHERE id = %s",
        (reference, payment_id),
    )


def end(
    tx: Tx, payment: Payment, *, status: str, failure_reason: str | None = None, at: datetime | None = None
) -> None:
    """COMPLETED (captured at the provider's time) or FAILED for a reason."""
    tx.run(
        """UPDATE payments SET status = %(status)s, failure_reason = %(reason)s, token = NULL, ended_at = clock_timestamp(),
               captured_at = CASE WHEN %(status)s = 'COMPLETED' THEN %(at)s::timestamptz END WHERE id = %(id)s""",
        {"status": status, "reason": failure_reason, "at": at, "id": payment.id},
    )
    history.note(
        tx,
        object="payment",
        subject_id=payment.id,
        from_status=payment.status,
        to_status=status,
        reason=failure_reason,
        operation_id=payment.id,
    )


def owe_void(tx: Tx, payment_id: UUID) -> None:
    """The promise of a failed payment is to be let go at the provider; until it is, its booking's process has to run."""
    tx.run("UPDATE payments SET void_due = true WHERE id = %s", (payment_id,))


def note_voided(tx: Tx, payment_id: UUID) -> None:
    """The provider has spoken on letting the promise go, so nothing is left to ask."""
    tx.run("UPDATE payments SET void_due = false WHERE id = %s", (payment_id,))


def note_paid(tx: Tx, booking_id: UUID, *, amount: Decimal) -> None:
    """The customer's money has arrived."""
    tx.run("UPDATE bookings SET paid = paid + %s, version = version + 1 WHERE id = %s", (amount, booking_id))


def note_refunded(tx: Tx, payment_id: UUID, booking_id: UUID, *, amount: Decimal) -> None:
    """Some of it has gone back."""
    tx.run("UPDATE payments SET refunded_amount = refunded_amount + %s WHERE id = %s", (amount, payment_id))
    tx.run("UPDATE bookings SET refunded = refunded + %s, version = version + 1 WHERE id = %s", (amount, booking_id))
