"""Customers: whom we sell to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.ids import new_id
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerFacts:
    """What a client may say about a customer."""

    name: str
    email: str
    phone: str | None
    customer_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer(CustomerFacts):
    """A customer's row."""

    id: UUID
    created_at: datetime


COLUMNS = "id, name, email, phone, customer_type, created_at"


def add(tx: Tx, facts: CustomerFacts) -> UUID:
    """Make a customer; two customers may share an address, as families do."""
    customer_id = new_id()
    tx.run(
        "INSERT INTO customers (tenant_id, id, name, email, phone, customer_type) VALUES (%s, %s, %s, %s, %s, %s)",
        (tx.tenant_id, customer_id, facts.name, facts.email, facts.phone, facts.customer_type),
    )
    return customer_id


def find(tx: Tx, customer_id: UUID) -> Customer:
    """One customer of this agency; LookupError when there is none."""
    return tx.one(
        f"SELECT {COLUMNS} FROM customers WHERE tenant_id = %s AND id = %s", (tx.tenant_id, customer_id), into=Customer
    )


def listed(tx: Tx, *, q: str | None, after: UUID | None, limit: int) -> list[Customer]:
    """A page of customers whose name or address has `q` in it, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {COLUMNS} FROM customers
            WHERE tenant_id = %(tenant)s AND (%(after)s::uuid IS NULL OR id < %(after)s)
              AND (%(q)s::text IS NULL OR strpos(lower(name), lower(%(q)s)) > 0 OR strpos(lower(email), lower(%(q)s)) > 0)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"tenant": tx.tenant_id, "q": q, "after": after, "limit": limit + 1},
        into=Customer,
    )
