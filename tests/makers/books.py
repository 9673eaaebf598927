"""Entries in the books without trade behind them: one sold ticket here, one cancelled there, on the day a test names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from db import labels, ledger
from db.ids import new_id
from db.stretches import Scope
from db.transaction import Tx
from domain import ledger as postings
from domain.ledger import CancelledTicket, Entry, Lot, SoldTicket
from domain.money import Money

PRICE, FEE, COST = Decimal("35.00"), Decimal("3.50"), Decimal("20.00")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A seat that exists in the books only: one event, one supplier, one section."""

    event_id: UUID
    supplier_id: UUID
    section: str
    seat_id: UUID

    def another(self) -> Place:
        """The seat beside it."""
        return Place(event_id=self.event_id, supplier_id=self.supplier_id, section=self.section, seat_id=new_id())


def a_place(tx: Tx, *, title: str = "Faust", supplier: str = "Theater AG", section: str = "Parkett") -> Place:
    """A new event and a new supplier, as far as reports know them: by their names."""
    place = Place(event_id=new_id(), supplier_id=new_id(), section=section, seat_id=new_id())
    labels.name(tx, object="event", subject_id=place.event_id, label=title)
    labels.name(tx, object="supplier", subject_id=place.supplier_id, label=supplier)
    return place


def at(text: str) -> datetime:
    """A moment in UTC: `2026-03-30T12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def scope(as_of: datetime, *, known_at: datetime | None = None, **more: object) -> Scope:
    """What was effective up to `as_of`, by all that is known now unless said otherwise."""
    return Scope(as_of=as_of, known_at=known_at or datetime.now(UTC), **more)  # type: ignore[arg-type]


def buy(tx: Tx, place: Place, *, on: datetime, cost: Decimal = COST) -> UUID:
    """Postings 3 and 4 for one seat."""
    post(tx, postings.bill_drafted(Money(cost, "EUR"), supplier_id=place.supplier_id), on=on)
    return post(tx, postings.delivery([_owned(place, cost)]), on=on)


def sell(tx: Tx, place: Place, *, on: datetime, price: Decimal = PRICE, discount: Decimal = Decimal(0)) -> UUID:
    """Posting 8 for one ticket; the money is captured at once."""
    ticket = SoldTicket(
        event_seat_id=place.seat_id,
        event_id=place.event_id,
        supplier_id=place.supplier_id,
        section=place.section,
        price=Money(price, "EUR"),
        discount=Money(discount, "EUR"),
        fee=Money(FEE, "EUR"),
        tax=Money.zero("EUR"),
        cost=Money(COST, "EUR"),
    )
    post(tx, postings.captured(Money(price - discount + FEE, "EUR")), on=on)
    return post(tx, postings.sale([ticket]), on=on)


def cancel(tx: Tx, place: Place, *, on: datetime, price: Decimal = PRICE, refund: Decimal | None = None) -> UUID:
    """Posting 12 for one ticket, the fee kept; all of the price goes back unless `refund` says how much."""
    ticket = CancelledTicket(
        event_seat_id=place.seat_id,
        event_id=place.event_id,
        supplier_id=place.supplier_id,
        section=place.section,
        price=Money(price, "EUR"),
        discount=Money.zero("EUR"),
        cost=Money(COST, "EUR"),
        refund_due=Money(price if refund is None else refund, "EUR"),
        fee_back=Money.zero("EUR"),
        tax_back=Money.zero("EUR"),
    )
    return post(tx, postings.cancellation([ticket]), on=on)


def write_off(tx: Tx, place: Place, *, on: datetime, cost: Decimal = COST) -> UUID:
    """Posting 17 for one seat."""
    return post(tx, postings.written_off([_owned(place, cost)]), on=on)


def post(tx: Tx, entry: Entry, *, on: datetime) -> UUID:
    """Any entry, about nothing in particular."""
    return ledger.post(tx, entry, key=str(new_id()), subject_object="test", subject_id=new_id(), occurred_at=on)


def _owned(place: Place, cost: Decimal) -> Lot:
    return Lot(
        event_seat_ids=(place.seat_id,),
        event_id=place.event_id,
        supplier_id=place.supplier_id,
        section=place.section,
        cost=Money(cost, "EUR"),
    )
