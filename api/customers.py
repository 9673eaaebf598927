"""/api/customers: whom we sell to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict

from api.desk import Desk
from api.pages import After, Limit, id_after, page
from api.shapes import Body, Email, Instant, Line, Name, Page, Shape
from db import customers
from db.customers import CustomerFacts
from db.transaction import Tx

desk = Desk(tag="customers")


class CustomerType(StrEnum):
    """Who buys."""

    INDIVIDUAL = "INDIVIDUAL"
    CORPORATE = "CORPORATE"
    GROUP_LEADER = "GROUP_LEADER"


class NewCustomer(Body):
    """A customer; the tickets go to the e-mail address."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Ada Byron", "email": "ada@example.org", "phone": "+49 30 123456"}}
    )

    name: Name
    email: Email
    phone: Line | None = None
    customer_type: CustomerType = CustomerType.INDIVIDUAL

    def facts(self) -> CustomerFacts:
        """As the database takes it."""
        return CustomerFacts(**self.model_dump())


class CustomerShape(Shape):
    """A customer."""

    id: UUID
    object: str = "customer"
    name: str
    email: str
    phone: str | None
    customer_type: str
    created_at: Instant


@desk.creates("/customers", needs="customers:write")
def create_customer(tx: Tx, body: NewCustomer) -> CustomerShape:
    """Create a customer."""
    return read_customer(tx, customers.add(tx, body.facts()))


@desk.reads("/customers", needs="customers:read")
def list_customers(
    tx: Tx,
    q: Annotated[Line | None, Query(description="Part of the name or the e-mail address")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CustomerShape]:
    """List customers, newest first."""
    rows = customers.listed(tx, q=q, after=id_after(after), limit=limit)
    return page(rows, limit, CustomerShape.model_validate, lambda row: row.id)


@desk.reads("/customers/{customer_id}", needs="customers:read", single=True)
def read_customer(tx: Tx, customer_id: UUID) -> CustomerShape:
    """Read a customer."""
    return CustomerShape.model_validate(customers.find(tx, customer_id))
