"""The journal's pen: one entry with its legs and seat movements, written once per key under the books' lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.arrays import literal, shared
from db.ids import new_id
from db.transaction import Tx
from domain.ledger import Entry, Leg, SeatMove

BOOKS = "hashtextextended('books of ' || %(tenant)s::text, 1)"
"""The number under which an agency's books are held."""

LOCK = f"SELECT {{verb}}({BOOKS})"

POST = """
WITH entry AS (
    INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, reason, by, currency, occurred_at,
        effective_at, accounting_date, recorded_at, reverses_id)
    SELECT t.id, %(id)s, %(kind)s, %(key)s, %(object)s, %(subject)s, %(reason)s, %(by)s, t.currency,
        %(at)s, %(at)s, (%(at)s::timestamptz AT TIME ZONE t.timezone)::date,
        GREATEST(clock_timestamp(), (SELECT max(s.ends_at) FROM ledger_stretches s
                                     WHERE s.tenant_id = t.id AND s.span = 'DAY')), %(reverses)s
    FROM tenants t WHERE t.id = %(tenant)s
    ON CONFLICT (tenant_id, key) DO NOTHING RETURNING *
), legs AS (
    INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id, supplier_id,
        section, effective_at, accounting_date, recorded_at)
    SELECT e.tenant_id, e.id, l.n, e.kind, l.account, e.currency, l.amount, l.quantity, l.event_id, l.supplier_id, l.section,
        e.effective_at, e.accounting_date, e.recorded_at
    FROM entry e, unnest(%(account)s::text[], %(amount)s::numeric[], %(quantity)s::int[],
        %(event)s::uuid[], %(supplier)s::uuid[], %(section)s::text[])
        WITH ORDINALITY AS l(account, amount, quantity, event_id, supplier_id, section, n)
), moves AS (
    INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id, section)
    SELECT e.tenant_id, e.id, m.seat, w.account, w.quantity, w.cost, w.event, w.supplier, w.section
    FROM entry e, unnest(%(moved)s::uuid[], %(way)s::int[]) AS m(seat, way)
        JOIN unnest(%(account_of)s::text[], %(quantity_of)s::smallint[], %(cost_of)s::numeric[], %(event_of)s::uuid[],
            %(supplier_of)s::uuid[], %(section_of)s::text[]) WITH ORDINALITY
            AS w(account, quantity, cost, event, supplier, section, n) ON w.n = m.way
)
SELECT id FROM entry"""
"""The whole entry; nothing of it when its key is taken."""


def post(
    tx: Tx,
    entry: Entry,
    *,
    key: str,
    subject_object: str,
    subject_id: UUID,
    occurred_at: datetime,
    reason: str | None = None,
    reverses_id: UUID | None = None,
) -> UUID:
    """Write an entry; the same key again writes nothing and returns the entry there is.

    `occurred_at` is the fact's own time (delivered, paid, captured); `recorded_at` is stamped after the books' lock,
    so that a report that has waited for the lock has seen every entry recorded before it (accounting.md B), and never
    before the end of the last closed day, whatever the clock does: what a day adds up to does not change any more.
    """
    _hold_books(tx)
    entry_id: UUID | None = tx.value(
        POST,
        {
            "tenant": tx.tenant_id,
            "id": new_id(),
            "kind": str(entry.kind),
            "key": key,
            "object": subject_object,
            "subject": subject_id,
            "reason": reason,
            "by": tx.actor,
            "at": occurred_at,
            "reverses": reverses_id,
            **_legs(entry.legs),
            **_moves(entry.moves),
        },
    )
    if entry_id is not None:
        return entry_id
    known: UUID = tx.value("SELECT id FROM journal_entries WHERE key = %s", (key,))
    return known


def is_posted(tx: Tx, key: str) -> bool:
    """Whether there is an entry with this key."""
    return bool(tx.value("SELECT EXISTS (SELECT FROM journal_entries WHERE key = %s)", (key,)))


def _hold_books(tx: Tx) -> None:
    """Shared with other writers; a report takes it alone for an instant."""
    tx.run(LOCK.format(verb="pg_advisory_xact_lock_shared"), {"tenant": tx.tenant_id})


def settle_books(tx: Tx) -> None:
    """Wait until every transaction that is writing to the books has ended."""
    tx.run(LOCK.format(verb="pg_advisory_xact_lock"), {"tenant": tx.tenant_id})


def _legs(legs: Sequence[Leg]) -> dict[str, Any]:
    """The legs as columns."""
    return {
        "account": [leg.account.code for leg in legs],
        "amount": [leg.amount for leg in legs],
        "quantity": [leg.quantity for leg in legs],
        "event": [leg.event_id for leg in legs],
        "supplier": [leg.supplier_id for leg in legs],
        "section": [leg.section for leg in legs],
    }


def _moves(moves: Sequence[SeatMove]) -> dict[str, Any]:
    """The moves as columns. Thousands of seats go a few ways, which are said once each and counted from 1."""
    ways, which = shared(map(_way, moves))
    account, quantity, cost, event, supplier, section = zip(*ways, strict=True) if ways else ((),) * 6
    return {
        "moved": literal(seat_id for move in moves for seat_id in move.event_seat_ids),
        "way": literal(way for move, way in zip(moves, which, strict=True) for _ in move.event_seat_ids),
        "account_of": list(account),
        "quantity_of": list(quantity),
        "cost_of": list(cost),
        "event_of": list(event),
        "supplier_of": list(supplier),
        "section_of": list(section),
    }


def _way(move: SeatMove) -> tuple[str, int, Decimal, UUID, UUID, str]:
    return move.account.code, move.quantity, move.cost, move.event_id, move.supplier_id, move.section
