"""The queries' own spelling of a rule says what the domain's says, for every case there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db import events, inventory
from db.ids import new_id
from db.transaction import Database
from domain.seating import EventStatus, OwnershipStatus, SeatStatus, event_status, is_sellable
from tests import ground
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.rows import a_row

Connection = psycopg.Connection[Any]

HOUR = timedelta(hours=1)
STORED = (EventStatus.DRAFT, EventStatus.PUBLISHED, EventStatus.ON_SALE)
OWNED_AND_SOLD = ((0, 0), (1, 0), (2, 1), (2, 2))


@pytest.fixture(scope="module")
def clone(worker_name: str) -> Iterator[Clone]:
    """A database of this file's own: its rows obey no rule but the one that is looked at."""
    with ground.clone(f"{worker_name}_rules") as made:
        yield made


@pytest.fixture(scope="module")
def database(clone: Clone) -> Iterator[Database]:
    with Database(clone.app_url, size=2) as opened:
        yield opened


def an_event(connection: Connection, agency: Agency, **facts: Any) -> UUID:
    now = datetime.now(UTC)
    known = {"start_at": now - 3 * HOUR, "end_at": now + HOUR, "currency": "EUR", "status": "DRAFT"}
    return a_row(connection, "events", tenant_id=agency.id, **{**known, **facts})


def a_seat(connection: Connection, agency: Agency, event_id: UUID, **facts: Any) -> UUID:
    owned = {"cost": 20, "supplier_id": new_id()} if facts.get("ownership_status", "NOT_OWNED") != "NOT_OWNED" else {}
    return a_row(connection, "event_seats", tenant_id=agency.id, event_id=event_id, **owned, **facts)


@pytest.mark.parametrize(("stored", "counts", "ends_in"), list(product(STORED, OWNED_AND_SOLD, (HOUR, -HOUR))))
def test_an_events_status_is_derived_alike_in_both(
    owner_connection: Connection,
    database: Database,
    tenant: Agency,
    stored: EventStatus,
    counts: tuple[int, int],
    ends_in: timedelta,
) -> None:
    owned, sold = counts
    end_at = datetime.now(UTC) + ends_in
    event_id = an_event(owner_connection, tenant, status=stored, end_at=end_at)
    a_seat(owner_connection, tenant, event_id)
    for number in range(owned):
        status = "SOLD" if number < sold else "AVAILABLE"
        a_seat(owner_connection, tenant, event_id, ownership_status="OWNED", status=status)

    with database.transaction(tenant.id) as tx:
        found = events.find(tx, event_id)

    assert found.status == event_status(stored, end_at=end_at, now=datetime.now(UTC), owned=owned, sold=sold)
    assert found.stored == stored


HELD = (None, -HOUR, HOUR)
POSSIBLE = [
    (ownership, status, held)
    for ownership, status, held in product(OwnershipStatus, SeatStatus, HELD)
    if (status == SeatStatus.RESERVED) == (held is not None)
    and (ownership == OwnershipStatus.OWNED or status not in (SeatStatus.RESERVED, SeatStatus.SOLD))
]


@pytest.mark.parametrize(("ownership", "status", "held"), POSSIBLE)
def test_a_seat_is_counted_as_available_when_it_may_be_sold(
    owner_connection: Connection,
    database: Database,
    tenant: Agency,
    ownership: OwnershipStatus,
    status: SeatStatus,
    held: timedelta | None,
) -> None:
    now = datetime.now(UTC)
    until = None if held is None else now + held
    event_id = an_event(owner_connection, tenant)
    seat_id = a_seat(owner_connection, tenant, event_id, ownership_status=ownership, status=status, held_until=until)

    with database.transaction(tenant.id) as tx:
        counts = events.availability(tx, event_id)
        shown = inventory.find(tx, seat_id, event_id=event_id)

    sellable = is_sellable(ownership, status=status, held_until=until, now=now)
    assert counts.available == int(sellable)
    assert counts.available + counts.held + counts.reserved + counts.sold + counts.blocked == counts.owned
    assert counts.not_owned + counts.owned + counts.returned == counts.total == 1
    assert shown is not None
    assert (shown.ownership_status == "OWNED" and shown.status == "AVAILABLE") == sellable


IMPOSSIBLE = [
    {"status": "SOLD"},
    {"status": "RESERVED", "held_until": datetime(2031, 1, 1, tzinfo=UTC)},
    {"ownership_status": "OWNED", "status": "RESERVED"},
    {"ownership_status": "OWNED", "held_until": datetime(2031, 1, 1, tzinfo=UTC)},
    {"ownership_status": "OWNED", "cost": None},
    {"ownership_status": "OWNED", "supplier_id": None},
    {"status": "GONE"},
    {"ownership_status": "BORROWED"},
]


@pytest.mark.parametrize("facts", IMPOSSIBLE, ids=str)
def test_a_seat_that_cannot_be_is_refused_by_the_table(
    owner_connection: Connection, tenant: Agency, facts: dict[str, Any]
) -> None:
    owned = {"cost": 20, "supplier_id": new_id()} if "ownership_status" in facts else {}

    with pytest.raises(psycopg.errors.CheckViolation):
        a_row(owner_connection, "event_seats", tenant_id=tenant.id, event_id=new_id(), **{**owned, **facts})
