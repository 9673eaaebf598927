"""Labels: what a thing was called since when, for reports that must say tomorrow what they say today."""

from __future__ import annotations

from uuid import UUID

from db import ledger
from db.transaction import Tx


def name(tx: Tx, *, object: str, subject_id: UUID, label: str) -> None:
    """From now on the thing is called so; the same name again changes nothing.

    Stamped under the books' lock as postings are: a report for a moment waits for who is naming things at that moment.
    """
    tx.run(ledger.LOCK.format(verb="pg_advisory_xact_lock_shared"), {"tenant": tx.tenant_id})
    tx.run(
        """INSERT INTO labels (tenant_id, object, subject_id, label, since)
           SELECT %(tenant)s, %(object)s, %(subject)s, %(label)s, clock_timestamp()
           WHERE %(label)s IS DISTINCT FROM (SELECT label FROM labels WHERE object = %(object)s AND subject_id = %(subject)s
                                             ORDER BY since DESC LIMIT 1)""",
        {"tenant": tx.tenant_id, "object": object, "subject": subject_id, "label": label},
    )
