"""/api/inventory: an event's seats one by one, and what they are to be sold for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict, Field, StringConstraints

from activities import places as steps
from api.asking import allowed
from api.desk import Desk
from api.pages import After, Limit, keys_after, page
from api.problems import Rejected
from api.shapes import Body, Line, MoneyShape, Page, Shape
from db import events, inventory
from db.inventory import EventSeat, Wanted
from db.transaction import Tx

desk = Desk(tag="inventory")

Selector = Annotated[str, StringConstraints(max_length=4000)]


class SeatStatus(StrEnum):
    """What an event seat is doing."""

    AVAILABLE = "AVAILABLE"
    HELD = "HELD"
    RESERVED = "RESERVED"
    SOLD = "SOLD"
    BLOCKED = "BLOCKED"


class Ownership(StrEnum):
    """Whether it is ours."""

    NOT_OWNED = "NOT_OWNED"
    OWNED = "OWNED"
    RETURNED_TO_SUPPLIER = "RETURNED_TO_SUPPLIER"


class EventSeatShape(Shape):
    """A seat of an event; `purchase_price` and `cost` are null without `costs:read`."""

    event_seat_id: UUID
    object: str = "event_seat"
    event_id: UUID
    seat_id: UUID
    section: str
    row: str
    seat_number: str
    status: str
    ownership_status: str
    supplier_id: UUID | None
    purchase_order_id: UUID | None
    purchase_price: MoneyShape | None
    cost: MoneyShape | None
    retail_price: MoneyShape | None


class NewPrice(Body):
    """A price in the agency's currency."""

    model_config = ConfigDict(json_schema_extra={"example": {"retail_price": {"amount": "35.00", "currency": "EUR"}}})

    retail_price: MoneyShape


class NewPrices(Body):
    """One price for the seats that the selectors name."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "seats": ["Parkett/A/1-25", "Parkett/C-F/*"],
                "retail_price": {"amount": "35.00", "currency": "EUR"},
            }
        }
    )

    seats: Annotated[list[Selector], Field(min_length=1, max_length=1000)]
    retail_price: MoneyShape


class RepricedShape(Shape):
    """How many seats got the price, and how many had it already."""

    updated: int
    unchanged: int


@desk.reads("/inventory/events/{event_id}/seats", needs="inventory:read")
def list_event_seats(
    tx: Tx,
    event_id: UUID,
    section: Line | None = None,
    row: Line | None = None,
    status: Annotated[list[SeatStatus] | None, Query(description="May be given several times")] = None,
    ownership_status: Annotated[list[Ownership] | None, Query(description="May be given several times")] = None,
    supplier_id: UUID | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[EventSeatShape]:
    """List an event's seats in human order; a reservation whose time is over shows as AVAILABLE."""
    keys = keys_after(after, count=1)
    wanted = Wanted(section=section, row=row, status=status, ownership_status=ownership_status, supplier_id=supplier_id)
    rows = inventory.listed(tx, event_id, wanted=wanted, after=keys[0] if keys else None, limit=limit)
    currency = events.find(tx, event_id).currency
    shows_costs = allowed(tx, "costs:read")
    return page(rows, limit, lambda seat: _shape(seat, currency, shows_costs=shows_costs), lambda seat: [seat.sort_key])


@desk.reads("/inventory/events/{event_id}/seats/{event_seat_id}", needs="inventory:read", single=True)
def read_event_seat(tx: Tx, event_id: UUID, event_seat_id: UUID) -> EventSeatShape:
    """Read one seat of an event."""
    seat = inventory.find(tx, event_seat_id, event_id=event_id)
    if seat is None:
        raise Rejected("not_found", "this event has no such seat")
    return _shape(seat, events.find(tx, event_id).currency, shows_costs=allowed(tx, "costs:read"))


@desk.replaces(
    "/inventory/events/{event_id}/seats/{event_seat_id}/price",
    needs="inventory:write",
    problems=["currency_not_supported"],
)
def price_seat(tx: Tx, event_id: UUID, event_seat_id: UUID, body: NewPrice) -> EventSeatShape:
    """Set the price of one seat; baskets already made keep theirs."""
    read_event_seat(tx, event_id, event_seat_id)
    price = body.retail_price
    steps.reprice_seat(tx, event_seat_id, amount=price.amount, currency=price.currency)
    return read_event_seat(tx, event_id, event_seat_id)


@desk.creates(
    "/inventory/events/{event_id}/prices",
    needs="inventory:write",
    status=200,
    problems=["currency_not_supported", "invalid_selector", "no_such_seat", "duplicate_seat"],
)
def price_seats(
    tx: Tx,
    event_id: UUID,
    body: NewPrices,
    preview: Annotated[bool, Query(description="Count only, change nothing")] = False,
) -> RepricedShape:
    """Set the price of many seats at once; baskets already made keep theirs."""
    price = body.retail_price
    updated, unchanged = steps.reprice(tx, event_id, seats=body.seats, amount=price.amount, currency=price.currency)
    return RepricedShape(updated=updated, unchanged=unchanged)


def _shape(seat: EventSeat, currency: str, *, shows_costs: bool) -> EventSeatShape:
    return EventSeatShape(
        event_seat_id=seat.event_seat_id,
        event_id=seat.event_id,
        seat_id=seat.seat_id,
        section=seat.section,
        row=seat.row_label,
        seat_number=seat.seat_number,
        status=seat.status,
        ownership_status=seat.ownership_status,
        supplier_id=seat.supplier_id,
        purchase_order_id=seat.purchase_order_id,
        purchase_price=MoneyShape.maybe(seat.purchase_price, currency) if shows_costs else None,
        cost=MoneyShape.maybe(seat.cost, currency) if shows_costs else None,
        retail_price=MoneyShape.maybe(seat.retail_price, currency),
    )
