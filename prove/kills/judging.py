"""Judging: what the oracle finds, what the provider took and gave per booking, what each delivery left, what was lost."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import psycopg

from gateways.payments import ProviderUnavailable, SimulatedPayments
from oracle.outside import told
from prove.kills.house import House

# Trade goes on, and what was struck is still on its way: what is wrong must stay so for a minute to count.
SETTLES_WITHIN, PAUSE = 60.0, 1.0

CHARGES = """
WITH book AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS c(reference text, captured numeric, refunded numeric)
), seen AS (
    SELECT b.booking_number, b.paid, b.refunded, t.name,
        count(c.reference) FILTER (WHERE c.captured > 0) AS charges,
        COALESCE(sum(c.captured), 0) AS took, COALESCE(sum(c.refunded), 0) AS gave
    FROM bookings b JOIN tenants t ON t.id = b.tenant_id
    LEFT JOIN payments p ON p.tenant_id = b.tenant_id AND p.booking_id = b.id
    LEFT JOIN book c ON c.reference = p.provider_transaction_id
    WHERE b.payment_status <> 'PROCESSING' AND NOT EXISTS (SELECT FROM refunds r WHERE r.tenant_id = b.tenant_id
        AND r.booking_id = b.id AND r.status IN ('REQUESTED', 'SUBMITTED'))
    GROUP BY b.tenant_id, b.id, t.name
)
SELECT 'booking ' || booking_number || ' of ' || name || ': paid ' || paid || ', refunded ' || refunded
    || '; the provider took ' || took || ' in ' || charges || ' charges and gave back ' || gave
FROM seen WHERE charges > 1 OR took <> paid OR gave <> refunded OR (paid > 0 AND charges <> 1)
"""

DELIVERIES = """
SELECT 'delivery ' || o.id || ': ' || count(DISTINCT r.id) || ' receipts, ' || count(DISTINCT b.id) || ' bills'
FROM operations o
LEFT JOIN receipts r ON r.tenant_id = o.tenant_id AND r.operation_id = o.id
LEFT JOIN bills b ON b.tenant_id = r.tenant_id AND b.receipt_id = r.id
WHERE o.kind = 'purchase_order.receive' AND o.status = 'succeeded'
GROUP BY o.tenant_id, o.id HAVING count(DISTINCT r.id) <> 1 OR count(DISTINCT b.id) <> 1
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a look at everything found; all is well when there are no faults."""

    acknowledged: int
    faults: tuple[str, ...]


def judge(house: House) -> Verdict:
    """The oracle, the provider's book, the deliveries and the log of what was acknowledged."""
    promised, missing = house.log.lost(house.owner_url)
    faults = [f"lost: {one}" for one in missing]
    faults += [f"answer without an excuse: {one}" for one in house.faults]
    return Verdict(acknowledged=promised, faults=(*faults, *_lasting(house)))


def _lasting(house: House) -> list[str]:
    """What every look within a minute finds."""
    deadline = time.monotonic() + SETTLES_WITHIN
    found = _look(house)
    while found and time.monotonic() < deadline:
        time.sleep(PAUSE)
        found &= _look(house)
    return sorted(found)


def _look(house: House) -> set[str]:
    return {*_differences(house), *house.violations()}


def _differences(house: House) -> list[str]:
    provider = SimulatedPayments(house.stand.addresses.provider_url)
    try:
        lines = provider.book()
    except ProviderUnavailable as away:
        return [f"the provider's book cannot be read: {away}"]
    finally:
        provider.close()
    book = [told(line) for line in lines]
    with psycopg.connect(house.owner_url) as connection:
        rows = connection.execute(CHARGES, [json.dumps(book)]).fetchall()
        rows += connection.execute(DELIVERIES).fetchall()
    return [str(row[0]) for row in rows]
