"""Halls, events and prices: what one person changes at once and needs more than one query for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from db import access, events, history, inventory, places
from db.events import EventFacts
from db.places import Imported
from db.transaction import Tx
from domain import selectors
from domain.money import BadMoney, Money
from domain.places import parse_seat_csv
from domain.seating import EVENT, EventStatus
from domain.states import Refused

MANY = 1_000
"""From so many new seats on the planner's figures are counted again at once."""


def import_seats(tx: Tx, venue_id: UUID, *, data: bytes) -> Imported:
    """Create and update a hall's seats from a file; nothing at all when a line of it is bad (contract section 4).

    A seat the file does not name stays. New seats join the hall's DRAFT events as seats nobody owns yet; an event that
    has been published keeps the seats it was published with. Raises Refused as domain.places.parse_seat_csv does.
    """
    lines = parse_seat_csv(data)
    places.take_layout(tx, venue_id)
    imported = places.put_seats(tx, venue_id, lines)
    drafts = events.drafts_at(tx, venue_id) if imported.created else []
    added = imported.created + sum(inventory.fill(tx, event_id, venue_id=venue_id) for event_id in drafts)
    if added >= MANY:
        places.refresh_figures(tx)
    return imported


def create_event(tx: Tx, facts: EventFacts) -> UUID:
    """Make a DRAFT event with one NOT_OWNED seat per active seat of its hall.

    Raises Refused `currency_not_supported` for another currency than the agency's, `unknown_id` for a hall it does not
    have and `invalid` for an end that is not after the start.
    """
    _check(tx, facts)
    if not places.hold_layout(tx, facts.venue_id):
        raise Refused("unknown_id", "There is no such venue.", pointer="/venue_id")
    event_id = events.add(tx, facts)
    if inventory.fill(tx, event_id, venue_id=facts.venue_id) >= MANY:
        places.refresh_figures(tx)
    history.note(tx, object="event", subject_id=event_id, to_status=EventStatus.DRAFT)
    return event_id


def change_event(tx: Tx, event_id: UUID, *, facts: EventFacts) -> None:
    """Replace title, kind, times, tax rate and description of an event that is not over.

    Its hall and its currency stay: seats, orders and prices were made with them. Tickets already sold keep the tax they
    were sold with. Raises Refused `wrong_state` once the event is over, `invalid` for another hall.
    """
    event = events.take(tx, event_id)
    if facts.venue_id != event.venue_id:
        raise Refused("invalid", "An event keeps its venue; make another event there.", pointer="/venue_id")
    _check(tx, facts)
    _after(event, "edit")
    events.change(tx, event_id, facts)


def move_event(tx: Tx, event_id: UUID, *, verb: str) -> None:
    """Publish an event, open its sales or close them. Raises Refused `wrong_state` where the machine has no such arrow."""
    event = events.take(tx, event_id)
    status = _after(event, verb)
    events.move(tx, event_id, status=status)
    history.note(tx, object="event", subject_id=event_id, from_status=event.stored, to_status=status)


def reprice(tx: Tx, event_id: UUID, *, seats: Sequence[str], amount: str, currency: str) -> tuple[int, int]:
    """Set the price of the seats that the selectors name; how many seats changed, and how many had the price already.

    Raises Refused as domain.selectors.resolve does, each fault pointing at its selector, and as reprice_seat does.
    """
    price = _price(tx, amount, currency)
    known = inventory.names(tx, event_id, sections=selectors.sections_of(seats))
    named = selectors.resolve(seats, seats=known, pointer=lambda index: f"/seats/{index}")
    changed = inventory.reprice(tx, named, retail_price=price.amount)
    return changed, len(named) - changed


def reprice_seat(tx: Tx, event_seat_id: UUID, *, amount: str, currency: str) -> None:
    """Set the price of one seat.

    Raises Refused `currency_not_supported` unless it is in the agency's currency, `invalid` unless it is above zero.
    """
    inventory.reprice(tx, [event_seat_id], retail_price=_price(tx, amount, currency).amount)


def _price(tx: Tx, amount: str, currency: str) -> Money:
    """A price as a client writes it, in the agency's currency and above zero."""
    own = access.tenant(tx).currency
    if currency != own:
        words = f"Prices are in {own}, the agency's currency."
        raise Refused("currency_not_supported", words, pointer="/retail_price/currency")
    try:
        price = Money.of(amount, currency)
    except BadMoney as bad:
        raise Refused(bad.code, bad.words, pointer="/retail_price/amount") from bad
    if not price.is_positive:
        raise Refused("invalid", "A price is above zero.", pointer="/retail_price/amount")
    return price


def _check(tx: Tx, facts: EventFacts) -> None:
    own = access.tenant(tx).currency
    if facts.currency != own:
        raise Refused(
            "currency_not_supported", f"Events are sold in {own}, the agency's currency.", pointer="/currency"
        )
    if facts.end_at <= facts.start_at:
        raise Refused("invalid", "An event ends after it has begun.", pointer="/end_datetime")


def _after(event: events.Event, verb: str) -> EventStatus:
    """The stored status that a verb leads to; an event that is over takes no verb."""
    if event.status == EventStatus.COMPLETED:
        facts = {"state": event.status, "allowed": []}
        raise Refused("wrong_state", f"This event is over: {verb} is no longer possible.", facts=facts)
    return EVENT.after(EventStatus(event.stored), verb)
