"""The metadata all tables hang on, and the few column shapes they share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.sql.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TENANT = "tenant_id"


def uuid_column(name: str, *, nullable: bool = False) -> Column[Any]:
    """An id of another thing, or of this one."""
    return Column(name, UUID(as_uuid=True), nullable=nullable)


def words(name: str, *, nullable: bool = False, default: str | None = None) -> Column[Any]:
    """Text; NULL only where absence means something."""
    return Column(name, Text, nullable=nullable, server_default=default)


def count(name: str, *, nullable: bool = False, default: str | None = "0") -> Column[Any]:
    """A number of seats, tickets or tries."""
    return Column(name, Integer, nullable=nullable, server_default=None if nullable else default)


def amount(name: str, *, nullable: bool = False, default: str | None = None, scale: int = 2) -> Column[Any]:
    """Money in the row's or the tenant's currency."""
    return Column(name, Numeric(14, scale), nullable=nullable, server_default=default)


def instant(name: str, *, nullable: bool = False, now: bool = False) -> Column[Any]:
    """A moment, stored in UTC."""
    default = text("now()") if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def tenant_table(name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",), **options: Any) -> Table:
    """A table of one agency's rows: keyed by (tenant_id, *key), walled off by row-level security in the migration."""
    own = [uuid_column("id")] if key == ("id",) else []
    return Table(name, metadata, uuid_column(TENANT), *own, *items, PrimaryKeyConstraint(TENANT, *key), **options)


def belongs_to(parent: str, column: str, *shared: str, name: str | None = None) -> ForeignKeyConstraint:
    """A composite foreign key, so that no row can point into another agency (reliability-security: RLS rules).

    `shared` columns have the same name and value in the parent.
    """
    columns, theirs = (TENANT, column, *shared), (TENANT, "id", *shared)
    return ForeignKeyConstraint(columns, [f"{parent}.{one}" for one in theirs], name=name)
