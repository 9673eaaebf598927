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

# The keys of entries whose subject is a booking end with the payment, refund or cancellation that made them.
_MADE_BY = (
    "sale",
    "captured",
    "sale-reversed",
    "late-money",
    "late-retaken",
    "late-refundable",
    "refund-settled",
    "cancellation",
)

# A thing's own entries and those of what hangs on it: a supplier's orders, an order's receipts, bills and payments, what paid
# a bill, what came of a payment and why there is a refund, and every leg of an event. Each is found through an index.
_ABOUT = """e.id IN (
    WITH orders AS (
        SELECT id FROM purchase_orders WHERE id = %(subject)s UNION ALL SELECT id FROM purchase_orders WHERE supplier_id = %(subject)s
    ), things AS (
        SELECT %(subject)s::uuid AS id
        UNION ALL SELECT r.id FROM orders o JOIN receipts r ON r.purchase_order_id = o.id
        UNION ALL SELECT b.id FROM orders o JOIN bills b ON b.purchase_order_id = o.id
        UNION ALL SELECT p.id FROM orders o JOIN supplier_payments p ON p.purchase_order_id = o.id
        UNION ALL SELECT id FROM bills WHERE receipt_id = %(subject)s
    ), keys AS (
        SELECT word || '/' || %(subject)s::text AS key FROM unnest(%(made_by)s::text[]) AS word
        UNION ALL SELECT 'refund-settled/' || r.id FROM payments p
            JOIN refunds r ON r.booking_id = p.booking_id AND r.payment_id = p.id WHERE p.id = %(subject)s
        UNION ALL SELECT replace(cause, 'late/', 'late-refundable/') FROM refunds WHERE id = %(subject)s
        UNION ALL SELECT 'supplier payment ' || payment_id || ' bills' FROM bill_settlements
            WHERE bill_id = %(subject)s AND source = 'PAYMENT'
    )
    SELECT j.id FROM things t JOIN journal_entries j ON j.subject_id = t.id
    UNION ALL SELECT j.id FROM keys k JOIN journal_entries j ON j.key = k.key
    UNION ALL SELECT entry_id FROM journal_legs WHERE event_id = %(subject)s)"""


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
        {
            "subject": subject_id,
            "made_by": list(_MADE_BY),
            "from": from_date,
            "to": to_date,
            "after": after,
            "limit": limit + 1,
        },
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
