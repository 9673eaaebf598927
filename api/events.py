"""/api/events: what takes place where and when, and how many of its seats are free."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import ConfigDict, PlainValidator, TypeAdapter
from pydantic_core import PydanticCustomError

from activities import places as steps
from api.desk import Desk
from api.pages import After, Limit, id_after, page
from api.shapes import Body, CurrencyCode, Instant, Kind, Line, Moment, Name, Page, Ratio, Shape, Text, Zone
from db import access, events
from db.events import Event, EventFacts
from db.transaction import Tx
from domain.seating import EventStatus, event_can

desk = Desk(tag="events")


def _day_or_moment(text: object) -> date:
    """A day `2027-03-01`, or a moment with its offset `2027-03-01T18:00:00Z`."""
    try:
        found: date = date.fromisoformat(str(text)) if len(str(text)) <= DAY else MOMENT.validate_strings(str(text))
    except ValueError:
        raise PydanticCustomError(
            "day", "must be a day such as 2027-03-01 or a moment such as 2027-03-01T18:00:00Z"
        ) from None
    if not 1970 <= found.year <= 9000:
        raise PydanticCustomError("day", "must lie between the years 1970 and 9000")
    return found


DAY = len("2027-03-01")
MOMENT = TypeAdapter(Moment)
DayOrMoment = Annotated[date, PlainValidator(_day_or_moment, json_schema_input_type=str)]


class Status(StrEnum):
    """An event's status as people see it."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    ON_SALE = "ON_SALE"
    SOLD_OUT = "SOLD_OUT"
    COMPLETED = "COMPLETED"


class ChangedEvent(Body):
    """What may still be said about an event; venue and currency stay what they were."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Faust",
                "event_type": "THEATER",
                "start_datetime": "2027-03-01T18:00:00Z",
                "end_datetime": "2027-03-01T21:00:00Z",
                "timezone": "Europe/Berlin",
            }
        }
    )

    title: Name
    event_type: Kind
    venue_id: UUID | None = None
    start_datetime: Moment
    end_datetime: Moment
    timezone: Zone
    currency: CurrencyCode | None = None
    tax_rate: Ratio = Decimal("0.0000")
    description: Text | None = None

    def facts(self, *, venue_id: UUID, currency: str) -> EventFacts:
        """As the database takes it; venue and currency as given where the client says nothing."""
        return EventFacts(
            title=self.title,
            event_type=self.event_type,
            venue_id=self.venue_id or venue_id,
            start_at=self.start_datetime,
            end_at=self.end_datetime,
            timezone=self.timezone,
            currency=self.currency or currency,
            tax_rate=self.tax_rate,
            description=self.description,
        )


class NewEvent(ChangedEvent):
    """An event; the currency is the agency's, prices exclude the tax."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Faust",
                "event_type": "THEATER",
                "venue_id": "0198a1b2-0000-7000-8000-000000000001",
                "start_datetime": "2027-03-01T18:00:00Z",
                "end_datetime": "2027-03-01T21:00:00Z",
                "timezone": "Europe/Berlin",
            }
        }
    )

    venue_id: UUID


class EventShape(Shape):
    """An event; SOLD_OUT and COMPLETED are derived, `can` says what staff may do now."""

    id: UUID
    object: str = "event"
    title: str
    event_type: str
    venue_id: UUID
    start_datetime: Instant
    end_datetime: Instant
    timezone: str
    currency: str
    tax_rate: Decimal
    description: str | None
    status: str
    can: list[str]
    version: int
    created_at: Instant

    @classmethod
    def of(cls, event: Event) -> EventShape:
        """From its row."""
        return cls(
            id=event.id,
            title=event.title,
            event_type=event.event_type,
            venue_id=event.venue_id,
            start_datetime=event.start_at,
            end_datetime=event.end_at,
            timezone=event.timezone,
            currency=event.currency,
            tax_rate=event.tax_rate,
            description=event.description,
            status=event.status,
            can=list(event_can(EventStatus(event.status))),
            version=event.version,
            created_at=event.created_at,
        )


class AvailabilityShape(Shape):
    """An event's seats by what they are; `available` to `blocked` add up to `owned`."""

    event_id: UUID
    total: int
    not_owned: int
    owned: int
    available: int
    held: int
    reserved: int
    sold: int
    blocked: int
    returned: int


@desk.creates("/events", needs="events:write", problems=["currency_not_supported", "unknown_id"])
def create_event(tx: Tx, body: NewEvent) -> EventShape:
    """Create a DRAFT event with one seat nobody owns yet per active seat of its venue."""
    facts = body.facts(venue_id=body.venue_id, currency=access.tenant(tx).currency)
    return read_event(tx, steps.create_event(tx, facts))


@desk.reads("/events", needs="events:read")
def list_events(
    tx: Tx,
    status: Annotated[list[Status] | None, Query(description="May be given several times")] = None,
    starts_from: Annotated[
        DayOrMoment | None, Query(alias="from", description="Starts at or after: a day of the agency, or a moment")
    ] = None,
    starts_to: Annotated[
        DayOrMoment | None, Query(alias="to", description="Starts on or before: a day of the agency, or a moment")
    ] = None,
    q: Annotated[Line | None, Query(description="Part of the title")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[EventShape]:
    """List events, newest first."""
    zone = ZoneInfo(access.tenant(tx).timezone)
    rows = events.listed(
        tx,
        status=status,
        starts_from=_instant(starts_from, zone),
        starts_before=_instant(starts_to, zone, ends=True),
        q=q,
        after=id_after(after),
        limit=limit,
    )
    return page(rows, limit, EventShape.of, lambda row: row.id)


@desk.reads("/events/{event_id}", needs="events:read", single=True)
def read_event(tx: Tx, event_id: UUID) -> EventShape:
    """Read an event."""
    return EventShape.of(events.find(tx, event_id))


@desk.replaces("/events/{event_id}", needs="events:write", problems=["currency_not_supported", "wrong_state"])
def replace_event(tx: Tx, event_id: UUID, body: ChangedEvent) -> EventShape:
    """Replace what may still change: title, type, times, time zone, tax rate and description.

    Venue and currency stay, for seats, orders and prices were made with them. Nothing changes once the event is over.
    Tickets already sold keep the tax they were sold with.
    """
    event = events.find(tx, event_id)
    steps.change_event(tx, event_id, facts=body.facts(venue_id=event.venue_id, currency=event.currency))
    return read_event(tx, event_id)


@desk.creates("/events/{event_id}/publish", needs="events:write", status=200, problems=["wrong_state"])
def publish_event(tx: Tx, event_id: UUID) -> EventShape:
    """Publish an event: its seats are settled from now on."""
    steps.move_event(tx, event_id, verb="publish")
    return read_event(tx, event_id)


@desk.creates("/events/{event_id}/open-sales", needs="events:write", status=200, problems=["wrong_state"])
def open_sales(tx: Tx, event_id: UUID) -> EventShape:
    """Open sales: owned seats with a price may be booked."""
    steps.move_event(tx, event_id, verb="open_sales")
    return read_event(tx, event_id)


@desk.creates("/events/{event_id}/close-sales", needs="events:write", status=200, problems=["wrong_state"])
def close_sales(tx: Tx, event_id: UUID) -> EventShape:
    """Close sales: no new bookings; what is reserved may still be paid."""
    steps.move_event(tx, event_id, verb="close_sales")
    return read_event(tx, event_id)


@desk.reads("/events/{event_id}/availability", needs="events:read", single=True)
def read_availability(tx: Tx, event_id: UUID) -> AvailabilityShape:
    """Count an event's seats; a reservation whose time is over counts as available."""
    return AvailabilityShape.model_validate(events.availability(tx, event_id))


def _instant(given: date | None, zone: ZoneInfo, *, ends: bool = False) -> datetime | None:
    """A moment as it is, a day as its first instant in the zone or, where the list `ends` there, the next day's.

    The end is exclusive; PostgreSQL counts in microseconds, so one more of them lets the moment itself in.
    """
    if given is None:
        return None
    if isinstance(given, datetime):
        return given + timedelta(microseconds=1) if ends else given
    return datetime.combine(given + timedelta(days=1) if ends else given, time(), zone)
