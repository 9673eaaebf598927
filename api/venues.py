"""/api/venues: the halls we know, and their seats."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import File, Query, UploadFile
from pydantic import ConfigDict, Field

from activities import places as steps
from api.desk import Desk
from api.pages import After, Limit, id_after, keys_after, page
from api.shapes import Body, Instant, Kind, Line, Name, Page, Shape, Text, Zone
from db import places
from db.places import VenueFacts
from db.transaction import Tx

desk = Desk(tag="places")


class NewVenue(Body):
    """A hall; the address is free text or a few named lines."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Stadthalle",
                "venue_type": "THEATER",
                "timezone": "Europe/Berlin",
                "address": "Marktplatz 1, 10115 Berlin",
            }
        }
    )

    name: Name
    venue_type: Kind
    timezone: Zone
    address: Annotated[dict[Name, Line | None], Field(max_length=20)] | Text | None = None

    def facts(self) -> VenueFacts:
        """As the database takes it."""
        return VenueFacts(**self.model_dump())


class VenueShape(Shape):
    """A hall."""

    id: UUID
    object: str = "venue"
    name: str
    venue_type: str
    timezone: str
    address: dict[str, str | None] | str | None
    created_at: Instant


class ImportShape(Shape):
    """What an import did."""

    created: int
    updated: int
    unchanged: int


class SeatShape(Shape):
    """A seat of the hall; labels are text."""

    id: UUID
    object: str = "seat"
    section: str
    row: str = Field(validation_alias="row_label")
    seat_number: str
    seat_type: str
    x: Decimal | None
    y: Decimal | None


@desk.creates("/venues", needs="venues:write")
def create_venue(tx: Tx, body: NewVenue) -> VenueShape:
    """Create a venue."""
    return read_venue(tx, places.add(tx, body.facts()))


@desk.reads("/venues", needs="venues:read")
def list_venues(
    tx: Tx,
    q: Annotated[Line | None, Query(description="Part of the name")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[VenueShape]:
    """List venues, newest first."""
    rows = places.listed(tx, q=q, after=id_after(after), limit=limit)
    return page(rows, limit, VenueShape.model_validate, lambda row: row.id)


@desk.reads("/venues/{venue_id}", needs="venues:read", single=True)
def read_venue(tx: Tx, venue_id: UUID) -> VenueShape:
    """Read a venue."""
    return VenueShape.model_validate(places.find(tx, venue_id))


@desk.creates(
    "/venues/{venue_id}/seats/import", needs="venues:write", status=200, problems=["invalid_label", "duplicate_seat"]
)
def import_seats(
    tx: Tx,
    venue_id: UUID,
    file: Annotated[UploadFile, File(description="CSV, UTF-8: section,row,seat[,seat_type,x,y]")],
    preview: Annotated[bool, Query(description="Count only, change nothing")] = False,
) -> ImportShape:
    """Import seats from a CSV file.

    Seats are found by section, row and seat; what the file leaves out stays as it is. One bad line and nothing is
    imported. New seats join the venue's DRAFT events; a published event keeps the seats it was published with.
    """
    file.file.seek(0)
    return ImportShape.model_validate(steps.import_seats(tx, venue_id, data=file.file.read()))


@desk.reads("/venues/{venue_id}/seats", needs="venues:read")
def list_seats(tx: Tx, venue_id: UUID, limit: Limit = 50, after: After = None) -> Page[SeatShape]:
    """List a venue's seats in the order people read them: 2 before 007 before 10, 12 before 12A."""
    keys = keys_after(after, count=1)
    rows = places.seats(tx, venue_id, after=keys[0] if keys else None, limit=limit)
    return page(rows, limit, SeatShape.model_validate, lambda row: [row.sort_key])
