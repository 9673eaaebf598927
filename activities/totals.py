"""Adding up what the journal says of days that are over, so that reports need not read its legs again."""

from uuid import UUID

import structlog

from db import access, totals
from db.transaction import Database, DatabaseAway

MOST = 100
"""Stretches closed for one agency before the next one has its turn."""

log = structlog.get_logger("totals")


def add_up_closed_days(database: Database) -> int:
    """Close the days and months of every agency that can be closed, each in a transaction of its own; how many."""
    with database.tenantless() as tx:
        tenants = access.tenants(tx)
    return sum(_close(database, tenant_id) for tenant_id in tenants)


def _close(database: Database, tenant_id: UUID) -> int:
    """One that fails is logged and keeps no other agency; it is tried again in the next round."""
    try:
        for closed in range(MOST):
            with database.transaction(tenant_id) as tx:
                if not totals.close_next(tx):
                    return closed
    except DatabaseAway:
        raise
    except Exception:
        log.exception("a day could not be added up", tenant_id=str(tenant_id))
        return 0
    return MOST
