"""Any row of any table, past all rules: for tests that only need something to be there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Column, types
from sqlalchemy.dialects import postgresql

from db.ids import new_id
from db.tables import metadata

# What the tables' own checks ask for, where any value of the type would not do.
KNOWN: dict[str, dict[str, Any]] = {
    "events": {"end_at": datetime(2031, 1, 2, tzinfo=UTC)},
    "outbox": {"kind": "MAIL"},
    "purchase_order_lines": {"quantity": 1},
    "credentials": {"kind": "API_KEY", "expires_at": None},
    "seat_movements": {"account": "1200"},
    "bill_settlements": {"source": "PAYMENT"},
    "ledger_stretches": {"span": "DAY"},
}

VALUES: dict[type[types.TypeEngine[Any]], Callable[[], Any]] = {
    postgresql.UUID: new_id,
    postgresql.JSONB: lambda: Jsonb({}),
    postgresql.ARRAY: list,
    types.Text: lambda: f"text {new_id().hex[-8:]}",
    types.DateTime: lambda: datetime(2031, 1, 1, tzinfo=UTC),
    types.Date: lambda: date(2031, 1, 1),
    types.LargeBinary: lambda: new_id().bytes,
    types.Numeric: lambda: Decimal(1),
}


def a_row(connection: psycopg.Connection[Any], table: str, *, tenant_id: UUID, **values: Any) -> UUID:
    """Insert a row whose foreign keys may point nowhere; its id, should the table have one."""
    row_id: UUID = values.get("id") or new_id()
    row = _filled(table, {"tenant_id": tenant_id, **KNOWN.get(table, {}), **values, "id": row_id})
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() for _ in row),
        )
        connection.execute(statement, list(row.values()))
    return row_id


def _filled(table: str, given: dict[str, Any]) -> dict[str, Any]:
    columns = metadata.tables[table].columns
    needed = {
        column.name: _any(column)
        for column in columns
        if not column.nullable and column.server_default is None and column.identity is None and column.computed is None
    }
    return {name: value for name, value in {**needed, **given}.items() if name in columns}


def _any(column: Column[Any]) -> Any:
    """A value of the column's type, unlike any other where it is text or an id."""
    return next((make() for kind, make in VALUES.items() if isinstance(column.type, kind)), 1)
