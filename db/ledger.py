"""The journal's pen: one entry with its legs and seat movements, written once per key under the books' lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.arrays import literal
from db.ids import new_id
from db.transaction import Tx
from domain.ledger import Entry, Leg, SeatMove

BOOKS = "hashtextextended('books of ' || %(tenant)s::text, 1)"
"""The number under which an agency's books are held."""

LOCK = f"SELECT {{verb}}({BOOKS})"


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
        """INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, reason, by, currency,
               occurred_at, effective_at, accounting_date, recorded_at, reverses_id)
           SELECT t.id, %(id)s, %(kind)s, %(key)s, %(object)s, %(subject)s, %(reason)s, %(by)s, t.currency,
               %(at)s, %(at)s, (%(at)s::timestamptz AT TIME ZONE t.timezone)::date,
               GREATEST(clock_timestamp(), (SELECT max(s.ends_at) FROM ledger_stretches s
                                            WHERE s.tenant_id = t.id AND s.span = 'DAY')), %(reverses)s
           FROM tenants t WHERE t.id = %(tenant)s
           ON CONFLICT (tenant_id, key) DO NOTHING RETURNING id""",
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
        },
    )
    if entry_id is None:
        known: UUID = tx.value("SELECT id FROM journal_entries WHERE key = %s", (key,))
        return known
    _write_legs(tx, entry_id, entry.legs)
    _write_moves(tx, entry_id, entry.moves)
    return entry_id


def is_posted(tx: Tx, key: str) -> bool:
    """Whether there is an entry with this key."""
    return bool(tx.value("SELECT EXISTS (SELECT FROM journal_entries WHERE key = %s)", (key,)))


def _hold_books(tx: Tx) -> None:
    """Shared with other writers; a report takes it alone for an instant."""
    tx.run(LOCK.format(verb="pg_advisory_xact_lock_shared"), {"tenant": tx.tenant_id})


def settle_books(tx: Tx) -> None:
    """Wait until every transaction that is writing to the books has ended."""
    tx.run(LOCK.format(verb="pg_advisory_xact_lock"), {"tenant": tx.tenant_id})


def _write_legs(tx: Tx, entry_id: UUID, legs: Sequence[Leg]) -> None:
    tx.run(
        """INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id,
               supplier_id, section, effective_at, accounting_date, recorded_at)
           SELECT e.tenant_id, e.id, n, e.kind, account, e.currency, amount, quantity, event_id, supplier_id, section,
               e.effective_at, e.accounting_date, e.recorded_at
           FROM journal_entries e, unnest(%(account)s::text[], %(amount)s::numeric[], %(quantity)s::int[],
               %(event)s::uuid[], %(supplier)s::uuid[], %(section)s::text[])
               WITH ORDINALITY AS l(account, amount, quantity, event_id, supplier_id, section, n)
           WHERE e.tenant_id = %(tenant)s AND e.id = %(entry)s""",
        {
            "tenant": tx.tenant_id,
            "entry": entry_id,
            "account": [leg.account.code for leg in legs],
            "amount": [leg.amount for leg in legs],
            "quantity": [leg.quantity for leg in legs],
            "event": [leg.event_id for leg in legs],
            "supplier": [leg.supplier_id for leg in legs],
            "section": [leg.section for leg in legs],
        },
    )


def _write_moves(tx: Tx, entry_id: UUID, moves: Sequence[SeatMove]) -> None:
    """Thousands of seats share a few places: event, supplier and section are said once each and counted from 1."""
    if not moves:
        return
    places = {place: number for number, place in enumerate(dict.fromkeys(map(_place, moves)), 1)}
    tx.run(
        """INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id,
               supplier_id, section)
           SELECT %(tenant)s, %(entry)s, m.seat, m.account::text, m.quantity, m.cost, p.event, p.supplier, p.section
           FROM unnest(%(seat)s::uuid[], %(account)s::int[], %(quantity)s::smallint[], %(cost)s::numeric[], %(place)s::int[])
               AS m(seat, account, quantity, cost, place)
           JOIN unnest(%(event)s::uuid[], %(supplier)s::uuid[], %(section)s::text[]) WITH ORDINALITY
               AS p(event, supplier, section, n) ON p.n = m.place""",
        {
            "tenant": tx.tenant_id,
            "entry": entry_id,
            "seat": literal(move.event_seat_id for move in moves),
            "account": literal(int(move.account.code) for move in moves),
            "quantity": literal(move.quantity for move in moves),
            "cost": literal(move.cost for move in moves),
            "place": literal(places[_place(move)] for move in moves),
            "event": [event_id for event_id, _, _ in places],
            "supplier": [supplier_id for _, supplier_id, _ in places],
            "section": [section for _, _, section in places],
        },
    )


def _place(move: SeatMove) -> tuple[UUID, UUID, str]:
    return move.event_id, move.supplier_id, move.section
