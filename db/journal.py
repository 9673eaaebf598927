"""The journal as people read it: entries about one thing or of a stretch of days, with their legs, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from db.transaction import Tx
from domain import ledger as postings
from domain.ledger import Account, EntryKind, SeatMove


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry's head: what it records about which thing, who posted it, and when it happened and was recorded."""

    id: UUID
    entry_number: int
    kind: str
    subject_object: str
    subject_id: UUID
    reason: str | None
    by: str
    currency: str
    occurred_at: datetime
    accounting_date: date
    recorded_at: datetime
    reverses_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One account's share of an entry; the amount is debit-positive."""

    entry_id: UUID
    account: str
    currency: str
    amount: Decimal
    quantity: int
    event_id: UUID | None
    supplier_id: UUID | None
    section: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Move:
    event_seat_id: UUID
    account: str
    quantity: int
    cost: Decimal
    event_id: UUID
    supplier_id: UUID
    section: str


_ACCOUNTS = {account.code: account for account in Account}

ENTRY = """e.id, e.entry_number, e.kind, e.subject_object, e.subject_id, e.reason, e.by, e.currency, e.occurred_at,
    e.accounting_date, e.recorded_at, e.reverses_id"""

# A thing's own entries and those of what hangs on it: an order's receipts, bills and payments, a booking's refunds.
_ABOUT = """e.subject_id IN (
    SELECT %(subject)s
    UNION ALL SELECT id FROM receipts WHERE purchase_order_id = %(subject)s
    UNION ALL SELECT id FROM bills WHERE purchase_order_id = %(subject)s OR receipt_id = %(subject)s
    UNION ALL SELECT id FROM supplier_payments WHERE purchase_order_id = %(subject)s
    UNION ALL SELECT id FROM payments WHERE booking_id = %(subject)s
    UNION ALL SELECT id FROM refunds WHERE booking_id = %(subject)s)"""


def entries(
    tx: Tx, *, subject_id: UUID | None, from_date: date | None, to_date: date | None, after: int | None, limit: int
) -> list[Entry]:
    """A page of entries, newest first, one more than `limit`; days are accounting days, both ends in."""
    about = f"AND {_ABOUT}" if subject_id else ""
    return tx.all(
        f"""SELECT {ENTRY} FROM journal_entries e
            WHERE (%(from)s::date IS NULL OR e.accounting_date >= %(from)s)
              AND (%(to)s::date IS NULL OR e.accounting_date <= %(to)s)
              AND (%(after)s::bigint IS NULL OR e.entry_number < %(after)s) {about}
            ORDER BY e.entry_number DESC LIMIT %(limit)s""",
        {"subject": subject_id, "from": from_date, "to": to_date, "after": after, "limit": limit + 1},
        into=Entry,
    )


def legs(tx: Tx, entry_ids: Sequence[UUID]) -> dict[UUID, list[Leg]]:
    """The legs of these entries, by entry, in their order."""
    rows = tx.all(
        """SELECT entry_id, account, currency, amount, quantity, event_id, supplier_id, section FROM journal_legs
           WHERE entry_id = ANY(%s) ORDER BY entry_id, leg""",
        (list(entry_ids),),
        into=Leg,
    )
    found: dict[UUID, list[Leg]] = {entry_id: [] for entry_id in entry_ids}
    for row in rows:
        found[row.entry_id].append(row)
    return found


def posted(tx: Tx, entry_id: UUID) -> postings.Entry:
    """An entry as it was posted, seats and all, so that it can be reversed to the cent."""
    head = tx.one(f"SELECT {ENTRY} FROM journal_entries e WHERE e.id = %s", (entry_id,), into=Entry)
    moves = tx.all(
        """SELECT event_seat_id, account, quantity, cost, event_id, supplier_id, section FROM seat_movements
           WHERE entry_id = %s ORDER BY account, event_seat_id""",
        (entry_id,),
        into=_Move,
    )
    return postings.Entry(
        kind=EntryKind(head.kind),
        currency=head.currency,
        legs=tuple(_leg(leg) for leg in legs(tx, [entry_id])[entry_id]),
        moves=tuple(_move(move) for move in moves),
    )


def _leg(row: Leg) -> postings.Leg:
    return postings.Leg(
        account=_ACCOUNTS[row.account],
        amount=row.amount,
        event_id=row.event_id,
        supplier_id=row.supplier_id,
        section=row.section,
        quantity=row.quantity,
    )


def _move(row: _Move) -> SeatMove:
    return SeatMove(
        event_seat_ids=(row.event_seat_id,),
        account=_ACCOUNTS[row.account],
        quantity=row.quantity,
        cost=row.cost,
        event_id=row.event_id,
        supplier_id=row.supplier_id,
        section=row.section,
    )
