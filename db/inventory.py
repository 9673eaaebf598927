"""Event seats: the only inventory there is, as staff look at it and price it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from db.ids import new_id
from db.transaction import Tx

PRICE = "event_seat_price"
"""The object under which a seat's prices stand in the history: from amount to amount."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSeat:
    """One seat of one event; `status` is what people see: a reservation whose time is over is AVAILABLE."""

    event_seat_id: UUID
    event_id: UUID
    seat_id: UUID
    section: str
    row_label: str
    seat_number: str
    sort_key: str
    status: str
    ownership_status: str
    supplier_id: UUID | None
    purchase_order_id: UUID | None
    purchase_price: Decimal | None
    cost: Decimal | None
    retail_price: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a list of seats is narrowed to; None is no limit."""

    section: str | None = None
    row: str | None = None
    status: Sequence[str] | None = None
    ownership_status: Sequence[str] | None = None
    supplier_id: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatName:
    """A seat by its labels."""

    id: UUID
    section: str
    row_label: str
    seat_number: str


STATUS = "CASE WHEN status = 'RESERVED' AND held_until <= now() THEN 'AVAILABLE' ELSE status END"

COLUMNS = f"""id AS event_seat_id, event_id, venue_seat_id AS seat_id, section, row_label, seat_number, sort_key,
    {STATUS} AS status, ownership_status, supplier_id, purchase_order_id, purchase_price, cost, retail_price"""


def fill(tx: Tx, event_id: UUID, *, venue_id: UUID) -> int:
    """Give the event one NOT_OWNED seat per active seat of the hall that it lacks; returns how many.

    The caller holds the hall's layout. Ids are made here, in human order: PostgreSQL before 18 makes no UUIDv7, and
    ids that follow the order of sale keep neighbouring seats together in every index.
    """
    keys = {"tenant": tx.tenant_id, "venue": venue_id, "event": event_id}
    count = tx.value(
        "SELECT count(*) FROM venue_seats WHERE tenant_id = %(tenant)s AND venue_id = %(venue)s AND active", keys
    )
    return tx.run(
        """INSERT INTO event_seats (tenant_id, id, event_id, venue_seat_id, section, row_label, seat_number, sort_key)
           SELECT %(tenant)s, (%(ids)s::uuid[])[row_number() OVER (ORDER BY sort_key)], %(event)s, id,
                  section, row_label, seat_number, sort_key
           FROM venue_seats WHERE tenant_id = %(tenant)s AND venue_id = %(venue)s AND active
           ON CONFLICT (tenant_id, event_id, section, row_label, seat_number) DO NOTHING""",
        {**keys, "ids": [new_id() for _ in range(count)]},
    )


def find(tx: Tx, event_seat_id: UUID, *, event_id: UUID) -> EventSeat | None:
    """One seat of this event."""
    return tx.maybe(
        f"SELECT {COLUMNS} FROM event_seats WHERE tenant_id = %s AND id = %s AND event_id = %s",
        (tx.tenant_id, event_seat_id, event_id),
        into=EventSeat,
    )


def listed(tx: Tx, event_id: UUID, *, wanted: Wanted, after: str | None, limit: int) -> list[EventSeat]:
    """A page of an event's seats in human order, one more than `limit`; `after` is a sort key."""
    return tx.all(
        f"""SELECT {COLUMNS} FROM event_seats
            WHERE tenant_id = %(tenant)s AND event_id = %(event)s
              AND (%(section)s::text IS NULL OR section = %(section)s)
              AND (%(row)s::text IS NULL OR row_label = %(row)s)
              AND (%(status)s::text[] IS NULL OR {STATUS} = ANY(%(status)s))
              AND (%(ownership)s::text[] IS NULL OR ownership_status = ANY(%(ownership)s))
              AND (%(supplier)s::uuid IS NULL OR supplier_id = %(supplier)s)
              AND (%(after)s::text IS NULL OR sort_key > %(after)s)
            ORDER BY sort_key LIMIT %(limit)s""",
        {
            "tenant": tx.tenant_id,
            "event": event_id,
            "section": wanted.section,
            "row": wanted.row,
            "status": _list(wanted.status),
            "ownership": _list(wanted.ownership_status),
            "supplier": wanted.supplier_id,
            "after": after,
            "limit": limit + 1,
        },
        into=EventSeat,
    )


def names(tx: Tx, event_id: UUID, *, sections: Sequence[str]) -> dict[tuple[str, str, str], UUID]:
    """Every seat of these sections of the event, by its labels."""
    rows = tx.all(
        """SELECT id, section, row_label, seat_number FROM event_seats
           WHERE tenant_id = %s AND event_id = %s AND section = ANY(%s)""",
        (tx.tenant_id, event_id, list(sections)),
        into=SeatName,
    )
    return {(row.section, row.row_label, row.seat_number): row.id for row in rows}


def reprice(tx: Tx, seat_ids: Sequence[UUID], *, retail_price: Decimal) -> int:
    """Set the price of these seats and note each change; seats that have the price already are left alone.

    Returns how many changed. Rows are locked in id order, as everybody does who takes several seats.
    """
    changed: int = tx.value(
        """WITH before AS MATERIALIZED (
               SELECT id, retail_price FROM event_seats
               WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND retail_price IS DISTINCT FROM %(price)s
               ORDER BY id FOR NO KEY UPDATE),
           after AS (
               UPDATE event_seats AS s SET retail_price = %(price)s FROM before
               WHERE s.tenant_id = %(tenant)s AND s.id = before.id),
           noted AS (
               INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status)
               SELECT %(tenant)s, %(object)s, id, %(actor)s, retail_price::text, (%(price)s::numeric(14, 2))::text
               FROM before ORDER BY id RETURNING 1)
           SELECT count(*) FROM noted""",
        {
            "tenant": tx.tenant_id,
            "ids": list(seat_ids),
            "price": retail_price,
            "object": PRICE,
            "actor": tx.actor,
        },
    )
    return changed


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]
