"""Event seats and events: who owns a seat, what it is doing, when it may be sold, and what an event's status means."""

from datetime import datetime
from enum import StrEnum

from domain.states import Machine, Refused


class SeatStatus(StrEnum):
    """What an event seat is doing."""

    AVAILABLE = "AVAILABLE"
    HELD = "HELD"
    RESERVED = "RESERVED"
    SOLD = "SOLD"
    BLOCKED = "BLOCKED"


class OwnershipStatus(StrEnum):
    """Whether an event seat is ours to sell."""

    NOT_OWNED = "NOT_OWNED"
    OWNED = "OWNED"
    RETURNED_TO_SUPPLIER = "RETURNED_TO_SUPPLIER"


class EventStatus(StrEnum):
    """An event's status as people see it; SOLD_OUT and COMPLETED are derived and never stored."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    ON_SALE = "ON_SALE"
    SOLD_OUT = "SOLD_OUT"
    COMPLETED = "COMPLETED"


SEAT = Machine[SeatStatus](
    "seat",
    {
        # Late money may find the seat free again and take it without a reservation: retake.
        SeatStatus.AVAILABLE: {
            "reserve": SeatStatus.RESERVED,
            "retake": SeatStatus.SOLD,
            "hold": SeatStatus.HELD,
            "block": SeatStatus.BLOCKED,
        },
        SeatStatus.HELD: {"release": SeatStatus.AVAILABLE},
        # An expired reservation is free to the next buyer before anybody has released it.
        SeatStatus.RESERVED: {
            "sell": SeatStatus.SOLD,
            "release": SeatStatus.AVAILABLE,
            "reserve": SeatStatus.RESERVED,
            "retake": SeatStatus.SOLD,
        },
        SeatStatus.SOLD: {"release": SeatStatus.AVAILABLE},
        SeatStatus.BLOCKED: {"unblock": SeatStatus.AVAILABLE},
    },
)

OWNERSHIP = Machine[OwnershipStatus](
    "seat",
    {
        OwnershipStatus.NOT_OWNED: {"take_ownership": OwnershipStatus.OWNED},
        OwnershipStatus.OWNED: {"return": OwnershipStatus.RETURNED_TO_SUPPLIER},
        OwnershipStatus.RETURNED_TO_SUPPLIER: {},
    },
    code="seat_already_owned",
)

# Only what is stored: see event_status for the other two.
EVENT = Machine[EventStatus](
    "event",
    {
        EventStatus.DRAFT: {"edit": EventStatus.DRAFT, "publish": EventStatus.PUBLISHED},
        EventStatus.PUBLISHED: {"edit": EventStatus.PUBLISHED, "open_sales": EventStatus.ON_SALE},
        EventStatus.ON_SALE: {"edit": EventStatus.ON_SALE, "close_sales": EventStatus.PUBLISHED},
    },
)


def is_sellable(ownership: OwnershipStatus, *, status: SeatStatus, held_until: datetime | None, now: datetime) -> bool:
    """Owned and available, or reserved by a basket whose time is over at `now` (design.md section 5)."""
    if ownership != OwnershipStatus.OWNED:
        return False
    if status == SeatStatus.RESERVED:
        return held_until is not None and held_until <= now
    return status == SeatStatus.AVAILABLE


def event_status(stored: EventStatus, *, end_at: datetime, now: datetime, owned: int, sold: int) -> EventStatus:
    """COMPLETED once it is over; SOLD_OUT while on sale with at least one seat owned and all of them sold."""
    if end_at <= now:
        return EventStatus.COMPLETED
    if stored == EventStatus.ON_SALE and 0 < owned <= sold:
        return EventStatus.SOLD_OUT
    return stored


def event_can(status: EventStatus) -> tuple[str, ...]:
    """The verbs open to staff for a derived status: none once it is over, those of ON_SALE when sold out."""
    if status == EventStatus.COMPLETED:
        return ()
    return EVENT.verbs(EventStatus.ON_SALE if status == EventStatus.SOLD_OUT else status)


def check_on_sale(stored: EventStatus, *, end_at: datetime, now: datetime) -> None:
    """Raises Refused `not_on_sale` unless sales are open and the event is not over."""
    if stored != EventStatus.ON_SALE:
        raise Refused("not_on_sale", "Sales for this event are not open.", facts={"state": str(stored)})
    if end_at <= now:
        raise Refused("not_on_sale", "This event is over.", facts={"state": str(EventStatus.COMPLETED)})
