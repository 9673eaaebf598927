"""Ending what the database's clock has ended, whether or not its process has woken."""

from __future__ import annotations

from uuid import UUID

from activities.booking import expire_due
from db.transaction import Database

BATCH = 500


def expire_due_reservations(database: Database) -> int:
    """End due reservations of every agency, oldest first; how many."""
    with database.tenantless() as tx:
        due = [
            (row["tenant_id"], row["booking_id"]) for row in tx.dicts("SELECT * FROM due_reservations(%s)", (BATCH,))
        ]
    return sum(_expire(database, tenant_id, booking_id) for tenant_id, booking_id in due)


def _expire(database: Database, tenant_id: UUID, booking_id: UUID) -> int:
    with database.transaction(tenant_id) as tx:
        return int(expire_due(tx, booking_id))
