"""What the filling writes is what trading would have left behind: no invariant finds anything, and its owner can log in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench.filling import Filled, fill, outside
from db import invariants
from db.transaction import Database
from domain.numbers import read_barcode
from reports import profit
from tests import ground
from tests.ground import Clone
from tests.makers.books import scope

TICKETS, FOR_SALE = 10_000, 60

Full = tuple[Clone, Filled]


@pytest.fixture(scope="module")
def full(worker_name: str) -> Iterator[Full]:
    with ground.clone(f"{worker_name}_filled") as clone:
        yield clone, fill(clone.owner_url, tickets=TICKETS, seed=7, for_sale=FOR_SALE)


def test_no_invariant_finds_anything(full: Full) -> None:
    clone, _ = full

    awake = datetime.now(UTC) - timedelta(hours=1)
    known = replace(outside(clone.owner_url), awake_since=awake)
    found = invariants.all_violations(clone.owner_url, known)

    assert {name: rows for name, rows in found.items() if rows} == {}
    assert len(found) == len(invariants.invariants())


def test_as_many_tickets_are_sold_as_were_asked_for(full: Full) -> None:
    clone, filled = full

    with Database(clone.app_url) as database, database.transaction(filled.tenant_id) as tx:
        told = profit.read(tx, scope(datetime.now(UTC))).totals
        sold, refunded = (int(str(told[name])) for name in ("tickets_sold", "tickets_refunded"))
        free = tx.value("SELECT count(*) FROM event_seats WHERE event_id = %s", (filled.for_sale_event_id,))

    assert sold - refunded == TICKETS
    assert (free, len(filled.event_ids)) == (FOR_SALE, 4)


def test_its_codes_can_be_scanned(full: Full) -> None:
    clone, filled = full

    with Database(clone.app_url) as database, database.transaction(filled.tenant_id) as tx:
        codes = tx.values("SELECT barcode FROM tickets LIMIT 500")

    assert [code for code in codes if read_barcode(code) != code] == []


def test_another_agency_fits_beside_it(full: Full) -> None:
    clone, filled = full

    other = fill(clone.owner_url, tickets=8, seed=7)

    assert other.tenant_id != filled.tenant_id


def test_tickets_come_in_bookings_of_four(full: Full) -> None:
    clone, _ = full

    with pytest.raises(ValueError, match="bookings of 4"):
        fill(clone.owner_url, tickets=10, seed=7)
