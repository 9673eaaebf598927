"""What the clock has brought about: events that are over, and their seats that nobody bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedEvent:
    """An event that is over, of some agency."""

    tenant_id: UUID
    event_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """An event as its end sees it; `over` by the database's clock."""

    id: UUID
    status: str
    end_at: datetime
    closed_at: datetime | None
    over: bool
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsoldSeat:
    """A seat we own and have not sold, at its own cost."""

    event_seat_id: UUID
    supplier_id: UUID
    section: str
    cost: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteOff:
    """A journal entry that wrote seats off and still stands."""

    entry_id: UUID
    key: str


_IN_STOCK = "s.ownership_status = 'OWNED' AND s.status <> 'SOLD' AND NOT s.written_off"

_CLOSED_WITH_STOCK = f"""e.closed_at IS NOT NULL AND e.end_at <= now() AND EXISTS (
    SELECT FROM event_seats s WHERE s.tenant_id = e.tenant_id AND s.event_id = e.id AND {_IN_STOCK})"""


def ended(tx: Tx, *, most: int) -> list[EndedEvent]:
    """Events of every agency that are over and not closed, the oldest end first."""
    return tx.all("SELECT tenant_id, event_id FROM ended_events(%s)", (most,), into=EndedEvent)


def time_to_next_end(tx: Tx) -> timedelta | None:
    """How long until the next event of any agency is over, at most a day; None when none is to come."""
    left: timedelta | None = tx.value("SELECT LEAST(next_event_end() - clock_timestamp(), interval '1 day')")
    return left


def stocked_after_end(tx: Tx) -> list[UUID]:
    """This agency's closed events that have seats in stock again: a late delivery, or a sale that was reversed."""
    return tx.values(f"SELECT e.id FROM events e WHERE {_CLOSED_WITH_STOCK} ORDER BY e.end_at, e.id")


def stocked_lately(tx: Tx, *, within: timedelta) -> list[UUID]:
    """Those of them whose stock came within this time: only what was posted since then is read, not the whole house."""
    return tx.values(
        f"""SELECT e.id FROM events e WHERE e.id IN (
                SELECT l.event_id FROM journal_entries j JOIN journal_legs l ON l.tenant_id = j.tenant_id AND l.entry_id = j.id
                WHERE j.recorded_at > now() - %s AND l.account = '1200' AND l.quantity > 0) AND {_CLOSED_WITH_STOCK}
            ORDER BY e.end_at, e.id""",
        (within,),
    )


def last_stocked_at(tx: Tx, event_id: UUID) -> datetime | None:
    """When a seat of the event came into stock last: by a delivery, a cancellation, or an entry that was reversed."""
    came: datetime | None = tx.value(
        "SELECT max(effective_at) FROM journal_legs WHERE event_id = %s AND account = '1200' AND quantity > 0",
        (event_id,),
    )
    return came


def take(tx: Tx, event_id: UUID) -> Event:
    """The event, locked against being closed twice; bookings may still name it."""
    return tx.one(
        """SELECT id, status, end_at, closed_at, end_at <= clock_timestamp() AS over, currency FROM events
           WHERE id = %s FOR NO KEY UPDATE""",
        (event_id,),
        into=Event,
    )


def take_unsold(tx: Tx, event_id: UUID) -> list[UnsoldSeat]:
    """The owned seats that are neither sold nor written off, locked in id order."""
    return tx.all(
        f"""SELECT s.id AS event_seat_id, s.supplier_id, s.section, s.cost FROM event_seats s
            WHERE s.event_id = %s AND {_IN_STOCK} ORDER BY s.id FOR NO KEY UPDATE""",
        (event_id,),
        into=UnsoldSeat,
    )


def may_still_sell(tx: Tx, event_id: UUID) -> bool:
    """Whether a basket may still be paid, or a payment has not been decided; read after the seats are locked."""
    return bool(
        tx.value(
            """SELECT EXISTS (SELECT FROM event_seats WHERE event_id = %(event)s AND status = 'RESERVED'
                              AND held_until > clock_timestamp())
                   OR EXISTS (SELECT FROM payments p JOIN bookings b ON b.tenant_id = p.tenant_id AND b.id = p.booking_id
                              WHERE b.event_id = %(event)s AND p.status = 'PROCESSING')""",
            {"event": event_id},
        )
    )


def mark(tx: Tx, seat_ids: Sequence[UUID], *, written_off: bool) -> None:
    """These (locked) seats are written off, or are not any more."""
    tx.run(
        "UPDATE event_seats SET written_off = %s WHERE tenant_id = %s AND id = ANY(%s)",
        (written_off, tx.tenant_id, list(seat_ids)),
    )


def close(tx: Tx, event_id: UUID) -> None:
    """The event's end has been dealt with."""
    tx.run("UPDATE events SET closed_at = clock_timestamp() WHERE id = %s", (event_id,))


def reopen(tx: Tx, event_id: UUID) -> None:
    """The event's end has not been dealt with after all."""
    tx.run("UPDATE events SET closed_at = NULL WHERE id = %s", (event_id,))


def write_offs(tx: Tx, event_id: UUID) -> list[WriteOff]:
    """The event's write-offs, oldest first; those that were reversed are not among them."""
    return tx.all(
        """SELECT e.id AS entry_id, e.key FROM journal_entries e
           WHERE e.subject_id = %s AND e.kind = 'WRITTEN_OFF' AND NOT EXISTS (
               SELECT FROM journal_entries r WHERE r.tenant_id = e.tenant_id AND r.reverses_id = e.id)
           ORDER BY e.entry_number""",
        (event_id,),
        into=WriteOff,
    )


def count_write_offs(tx: Tx, event_id: UUID) -> int:
    """How often seats of the event were written off, reversed or not."""
    number: int = tx.value(
        "SELECT count(*) FROM journal_entries WHERE subject_id = %s AND kind = 'WRITTEN_OFF'", (event_id,)
    )
    return number


def moved_seats(tx: Tx, entry_id: UUID) -> list[UUID]:
    """The seats that an entry took out of stock, locked in id order."""
    return tx.values(
        """SELECT s.id FROM event_seats s
           WHERE s.id IN (SELECT event_seat_id FROM seat_movements WHERE entry_id = %s AND account = '1200')
           ORDER BY s.id FOR NO KEY UPDATE""",
        (entry_id,),
    )
