"""/api/suppliers: whom we buy from."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from api.desk import Desk
from api.pages import After, Limit, id_after, page
from api.shapes import Body, Email, Instant, Line, Name, Page, Shape, Text
from db import suppliers
from db.suppliers import SupplierFacts
from db.transaction import Tx
from domain.payables import Terms
from domain.states import Refused

desk = Desk(tag="suppliers")


class SupplierType(StrEnum):
    """What kind of business it is."""

    EVENT_ORGANIZER = "EVENT_ORGANIZER"
    VENUE_OWNER = "VENUE_OWNER"
    PROMOTER = "PROMOTER"
    PRODUCTION_COMPANY = "PRODUCTION_COMPANY"
    ARTIST = "ARTIST"
    BROKER = "BROKER"
    OTHER = "OTHER"


def _known_terms(text: str) -> str:
    try:
        Terms.parse(text)
    except Refused as refused:
        raise PydanticCustomError("payment_terms", "{words}", {"words": refused.words}) from refused
    return text


TermsText = Annotated[str, StringConstraints(max_length=12), AfterValidator(_known_terms)]
Rate = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]


class NewSupplier(Body):
    """A supplier as the agency knows it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Stadthalle GmbH",
                "supplier_type": "VENUE_OWNER",
                "email": "orders@stadthalle.example",
                "payment_terms": "NET_30",
            }
        }
    )

    name: Name
    supplier_type: SupplierType
    email: Email
    payment_terms: TermsText
    wholesale_discount_rate: Rate | None = None
    tax_id: Line | None = None
    contact_person: Line | None = None
    notes: Text | None = None

    def facts(self) -> SupplierFacts:
        """As the database takes it."""
        return SupplierFacts(**self.model_dump())


class SupplierShape(Shape):
    """A supplier."""

    id: UUID
    object: str = "supplier"
    name: str
    supplier_type: str
    email: str | None
    payment_terms: str
    wholesale_discount_rate: Decimal | None
    tax_id: str | None
    contact_person: str | None
    notes: str | None
    active: bool
    version: int
    created_at: Instant


@desk.creates("/suppliers", needs="suppliers:write")
def create_supplier(tx: Tx, body: NewSupplier) -> SupplierShape:
    """Create a supplier."""
    return read_supplier(tx, suppliers.add(tx, body.facts()))


@desk.reads("/suppliers", needs="suppliers:read")
def list_suppliers(
    tx: Tx,
    q: Annotated[Line | None, Query(description="Part of the name")] = None,
    active: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SupplierShape]:
    """List suppliers, newest first."""
    rows = suppliers.listed(tx, q=q, active=active, after=id_after(after), limit=limit)
    return page(rows, limit, SupplierShape.model_validate, lambda row: row.id)


@desk.reads("/suppliers/{supplier_id}", needs="suppliers:read", single=True)
def read_supplier(tx: Tx, supplier_id: UUID) -> SupplierShape:
    """Read a supplier."""
    return SupplierShape.model_validate(suppliers.find(tx, supplier_id))


@desk.replaces("/suppliers/{supplier_id}", needs="suppliers:write")
def replace_supplier(tx: Tx, supplier_id: UUID, body: NewSupplier) -> SupplierShape:
    """Replace what is known of a supplier; orders already made keep their terms."""
    suppliers.change(tx, supplier_id, body.facts())
    return read_supplier(tx, supplier_id)


@desk.removes("/suppliers/{supplier_id}", needs="suppliers:write")
def deactivate_supplier(tx: Tx, supplier_id: UUID) -> None:
    """Deactivate a supplier: no new orders, the old ones go on."""
    suppliers.deactivate(tx, supplier_id)
