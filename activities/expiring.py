"""Ending what the database's clock has ended, whether or not its process has woken."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from db import booking as bookings
from db.transaction import Database, DatabaseAway

BATCH = 500

log = structlog.get_logger("expiring")


def expire_due_reservations(database: Database) -> int:
    """End due reservations of every agency, oldest first, agency by agency; how many."""
    due = database.look_by_tenant("SELECT tenant_id, booking_id AS id FROM due_reservations(%s)", (BATCH,))
    return sum(_expire(database, tenant_id, booking_ids) for tenant_id, booking_ids in due.items())


def _expire(database: Database, tenant_id: UUID, booking_ids: Sequence[UUID]) -> int:
    """One transaction; should it fail, each booking on its own, so that one that cannot be ended keeps no other."""
    try:
        with database.transaction(tenant_id) as tx:
            return len(bookings.expire_many(tx, booking_ids))
    except DatabaseAway:
        raise
    except Exception:
        log.exception("could not end reservations", tenant_id=str(tenant_id), bookings=len(booking_ids))
    if len(booking_ids) == 1:
        return 0
    return sum(_expire(database, tenant_id, [booking_id]) for booking_id in booking_ids)
