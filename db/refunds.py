"""Refunds, quotes and cancellations: what goes back to a customer, one row per attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db import history
from db.ids import new_id
from db.transaction import Tx
from domain.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """One attempt to send money back; the attempts of one `cause` are numbered."""

    id: UUID
    refund_number: str
    booking_id: UUID
    payment_id: UUID
    cancellation_id: UUID | None
    cause: str
    attempt: int
    status: str
    amount: Decimal
    currency: str
    reason: str
    provider_refund_id: str | None
    failure_reason: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A cancellation's numbers as they were shown."""

    id: UUID
    booking_id: UUID
    fingerprint: str
    lines: list[str]
    expires_at: datetime
    living: bool


COLUMNS = """id, refund_number, booking_id, payment_id, cancellation_id, cause, attempt, status, amount, currency, reason,
    provider_refund_id, failure_reason, created_at, ended_at"""


def find(tx: Tx, refund_id: UUID) -> Refund | None:
    """One attempt."""
    return tx.maybe(f"SELECT {COLUMNS} FROM refunds WHERE id = %s", (refund_id,), into=Refund)


def take(tx: Tx, refund_id: UUID) -> Refund:
    """One attempt, locked (after its booking)."""
    return tx.one(f"SELECT {COLUMNS} FROM refunds WHERE id = %s FOR UPDATE", (refund_id,), into=Refund)


def of_booking(tx: Tx, booking_id: UUID) -> list[Refund]:
    """Every attempt for a booking, oldest first."""
    return tx.all(f"SELECT {COLUMNS} FROM refunds WHERE booking_id = %s ORDER BY id", (booking_id,), into=Refund)


def request(
    tx: Tx,
    *,
    booking_id: UUID,
    payment_id: UUID,
    cancellation_id: UUID | None,
    cause: str,
    attempt: int,
    amount: Money,
    reason: str,
) -> UUID:
    """Money to be sent back: from here on it counts as spent."""
    refund_id = new_id()
    tx.run(
        """INSERT INTO refunds (tenant_id, id, refund_number, booking_id, payment_id, cancellation_id, cause, attempt, amount,
               currency, reason)
           VALUES (%s, %s, next_number('RF', 'refund_numbers'), %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            tx.tenant_id,
            refund_id,
            booking_id,
            payment_id,
            cancellation_id,
            cause,
            attempt,
            amount.amount,
            amount.currency,
            reason,
        ),
    )
    history.note(tx, object="refund", subject_id=refund_id, to_status="REQUESTED", reason=reason)
    return refund_id


def move(
    tx: Tx, refund: Refund, *, to: str, provider_refund_id: str | None = None, failure_reason: str | None = None
) -> None:
    """The attempt's next state."""
    tx.run(
        """UPDATE refunds SET status = %(to)s, provider_refund_id = COALESCE(%(provider)s, provider_refund_id),
               failure_reason = %(failure)s,
               ended_at = CASE WHEN %(to)s IN ('SETTLED', 'FAILED') THEN clock_timestamp() END WHERE id = %(id)s""",
        {"to": to, "provider": provider_refund_id, "failure": failure_reason, "id": refund.id},
    )
    history.note(
        tx, object="refund", subject_id=refund.id, from_status=refund.status, to_status=to, reason=failure_reason
    )


def keep_quote(
    tx: Tx, *, booking_id: UUID, fingerprint: str, ticket_ids: Sequence[UUID], life: timedelta
) -> tuple[UUID, datetime]:
    """Freeze a quote; its id, and until when it may be executed."""
    quote_id = new_id()
    expires_at: datetime = tx.value(
        """INSERT INTO quotes (tenant_id, id, booking_id, fingerprint, lines, expires_at)
           VALUES (%s, %s, %s, %s, %s, now() + %s) RETURNING expires_at""",
        (tx.tenant_id, quote_id, booking_id, fingerprint, Jsonb([str(one) for one in ticket_ids]), life),
    )
    return quote_id, expires_at


def quote(tx: Tx, quote_id: UUID) -> Quote | None:
    """A quote as it was frozen."""
    return tx.maybe(
        """SELECT id, booking_id, fingerprint, lines, expires_at, expires_at > now() AS living FROM quotes
           WHERE id = %s""",
        (quote_id,),
        into=Quote,
    )


def add_cancellation(
    tx: Tx, *, cancellation_id: UUID, booking_id: UUID, reason: str, fingerprint: str, totals: Mapping[str, Any]
) -> None:
    """The record that these tickets were given up; its id is its operation's."""
    tx.run(
        """INSERT INTO cancellations
               (tenant_id, id, operation_id, booking_id, reason, fingerprint, refund_total, fee_refund, executed_at)
           VALUES (%(tenant)s, %(id)s, %(id)s, %(booking)s, %(reason)s, %(fingerprint)s, %(refund)s, %(fee)s, now())""",
        {
            "tenant": tx.tenant_id,
            "id": cancellation_id,
            "booking": booking_id,
            "reason": reason,
            "fingerprint": fingerprint,
            "refund": totals["refund_total"],
            "fee": totals["fee_refund"],
        },
    )
