"""Suppliers: whom we buy from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from db import labels
from db.ids import new_id
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplierFacts:
    """What a client may say about a supplier."""

    name: str
    supplier_type: str
    email: str | None
    payment_terms: str
    wholesale_discount_rate: Decimal | None
    tax_id: str | None
    contact_person: str | None
    notes: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplier(SupplierFacts):
    """A supplier's row."""

    id: UUID
    active: bool
    version: int
    created_at: datetime


FACTS = "name, supplier_type, email, payment_terms, wholesale_discount_rate, tax_id, contact_person, notes"
COLUMNS = f"id, {FACTS}, active, version, created_at"


def add(tx: Tx, facts: SupplierFacts) -> UUID:
    """Make a supplier."""
    supplier_id = new_id()
    tx.run(
        f"INSERT INTO suppliers (tenant_id, id, {FACTS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (tx.tenant_id, supplier_id, *_values(facts)),
    )
    labels.name(tx, object="supplier", subject_id=supplier_id, label=facts.name)
    return supplier_id


def change(tx: Tx, supplier_id: UUID, facts: SupplierFacts) -> None:
    """Replace what is known of it; papers already issued keep what they said."""
    assignments = ", ".join(f"{column} = %s" for column in FACTS.split(", "))
    tx.run(
        f"UPDATE suppliers SET {assignments}, version = version + 1 WHERE id = %s",
        (*_values(facts), supplier_id),
    )
    labels.name(tx, object="supplier", subject_id=supplier_id, label=facts.name)


def deactivate(tx: Tx, supplier_id: UUID) -> bool:
    """No new orders from now on; False when it was inactive already."""
    return (
        tx.run("UPDATE suppliers SET active = false, version = version + 1 WHERE id = %s AND active", (supplier_id,))
        == 1
    )


def find(tx: Tx, supplier_id: UUID) -> Supplier | None:
    """One supplier of this agency."""
    return tx.maybe(f"SELECT {COLUMNS} FROM suppliers WHERE id = %s", (supplier_id,), into=Supplier)


def listed(tx: Tx, *, q: str | None, active: bool | None, after: UUID | None, limit: int) -> list[Supplier]:
    """A page of suppliers, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {COLUMNS} FROM suppliers
            WHERE (%(q)s::text IS NULL OR strpos(lower(name), lower(%(q)s)) > 0)
              AND (%(active)s::boolean IS NULL OR active = %(active)s) AND (%(after)s::uuid IS NULL OR id < %(after)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"q": q, "active": active, "after": after, "limit": limit + 1},
        into=Supplier,
    )


def _values(facts: SupplierFacts) -> tuple[object, ...]:
    return tuple(getattr(facts, column) for column in FACTS.split(", "))
