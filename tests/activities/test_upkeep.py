"""When an event is over, what nobody bought is written off: once, at its own cost, and not before it is certain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.upkeep import UpkeepActivities, close_event, reopen_event
from db import reports, upkeep
from db.stretches import Scope
from db.transaction import Database, Tx
from domain.states import Refused
from gateways.payments import SimulatedPayments
from reports import profit
from tests.makers.access import Agency
from tests.makers.payments import our_side_of_a_provider
from tests.makers.trade import (
    Stock,
    a_basket,
    a_cancellation,
    a_payment,
    a_sale,
    a_stock,
    an_order,
    confirmed,
    delivered,
)

OVER, SOON = -timedelta(hours=4), timedelta(days=60)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as ours:
        yield ours


def end(database: Database, stock: Stock, *, after: str = "-1 hour") -> None:
    """The event's end is moved there by hand: nobody can wait for it."""
    with database.transaction(stock.tenant_id) as tx:
        tx.run(
            "UPDATE events SET start_at = now() - interval '9 hours', end_at = now() + %s::interval WHERE id = %s",
            (after, stock.event_id),
        )


def closed(database: Database, stock: Stock) -> int | None:
    with database.transaction(stock.tenant_id) as tx:
        return close_event(tx, stock.event_id)


def figures(database: Database, stock: Stock) -> dict[str, Any]:
    with database.transaction(stock.tenant_id) as tx:
        now = reports.database_now(tx)
        totals = profit.read(tx, Scope(as_of=now, known_at=now, event_id=stock.event_id)).totals
    return {name: totals[name] for name in ("unsold_seats", "unsold_cost", "written_off_seats", "written_off_cost")}


def entries(tx: Tx, stock: Stock) -> list[str]:
    return tx.values("SELECT key FROM journal_entries WHERE subject_id = %s ORDER BY entry_number", (stock.event_id,))


def is_closed(tx: Tx, stock: Stock) -> bool:
    return bool(tx.value("SELECT closed_at IS NOT NULL FROM events WHERE id = %s", (stock.event_id,)))


def test_unsold_seats_of_a_past_event_are_written_off_at_their_own_cost(
    database: Database, tenant: Agency, provider: SimulatedPayments
) -> None:
    stock = a_stock(database, tenant, seats=5)
    a_sale(database, stock, stock.seats[:2], provider=provider)
    end(database, stock)

    assert closed(database, stock) == 3

    assert figures(database, stock) == {
        "unsold_seats": 0,
        "unsold_cost": Decimal("0.00"),
        "written_off_seats": 3,
        "written_off_cost": Decimal("60.00"),
    }
    with database.transaction(tenant.id) as tx:
        assert entries(tx, stock) == [f"write-off/{stock.event_id}"]
        assert tx.values("SELECT id FROM event_seats WHERE written_off ORDER BY id") == sorted(stock.seats[2:])


def test_it_is_dated_at_the_events_end(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, delivered_at=None)
    with database.transaction(tenant.id) as tx:
        tx.run("UPDATE events SET start_at = now(), end_at = clock_timestamp() WHERE id = %s", (stock.event_id,))

    closed(database, stock)

    with database.transaction(tenant.id) as tx:
        assert tx.value(
            """SELECT j.effective_at = e.end_at FROM journal_entries j JOIN events e ON e.id = j.subject_id
               WHERE j.kind = 'WRITTEN_OFF'"""
        )


def test_a_seat_delivered_after_the_end_does_not_leave_the_stock_before_it_came(
    database: Database, tenant: Agency
) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)

    closed(database, stock)

    with database.transaction(tenant.id) as tx:
        assert tx.value(
            """SELECT j.effective_at = r.delivered_at FROM journal_entries j, receipts r WHERE j.kind = 'WRITTEN_OFF'"""
        )


def test_closing_twice_closes_once(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)

    assert [closed(database, stock), closed(database, stock)] == [10, 0]

    with database.transaction(tenant.id) as tx:
        assert len(entries(tx, stock)) == 1


def test_an_event_that_is_not_over_is_left_alone(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=SOON)

    assert closed(database, stock) is None

    with database.transaction(tenant.id) as tx:
        assert (is_closed(tx, stock), entries(tx, stock)) == (False, [])


def test_nothing_is_written_off_while_a_basket_may_still_be_paid(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant)
    a_basket(database, stock, stock.seats[:1])
    end(database, stock)

    assert closed(database, stock) is None


def test_nothing_is_written_off_while_a_payment_is_undecided(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant)
    a_payment(database, tenant.id, a_basket(database, stock, stock.seats[:1]))
    end(database, stock)
    with database.transaction(tenant.id) as tx:
        tx.run("UPDATE event_seats SET held_until = now() - interval '1 hour' WHERE status = 'RESERVED'")

    assert closed(database, stock) is None


def test_a_basket_whose_time_is_over_does_not_keep_its_seats_from_the_write_off(
    database: Database, tenant: Agency
) -> None:
    stock = a_stock(database, tenant)
    a_basket(database, stock, stock.seats[:1])
    end(database, stock)
    with database.transaction(tenant.id) as tx:
        tx.run("UPDATE event_seats SET held_until = now() - interval '1 hour' WHERE status = 'RESERVED'")

    assert closed(database, stock) == 10


def test_the_history_says_that_the_event_is_over(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)

    closed(database, stock)

    with database.transaction(tenant.id) as tx:
        last = tx.dicts(
            """SELECT from_status, to_status, by FROM history WHERE subject_id = %s ORDER BY entry DESC LIMIT 1""",
            (stock.event_id,),
        )
    assert last == [{"from_status": "ON_SALE", "to_status": "COMPLETED", "by": "allotment"}]


def test_an_event_whose_end_has_moved_gets_its_stock_back(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)
    closed(database, stock)
    end(database, stock, after="2 days")

    with database.transaction(tenant.id) as tx:
        assert reopen_event(tx, stock.event_id, reason="the event was postponed") == 10

    assert figures(database, stock) == {
        "unsold_seats": 10,
        "unsold_cost": Decimal("200.00"),
        "written_off_seats": 0,
        "written_off_cost": Decimal("0.00"),
    }
    with database.transaction(tenant.id) as tx:
        assert entries(tx, stock) == [f"write-off/{stock.event_id}", f"write-off/{stock.event_id}/reversed"]
        assert not is_closed(tx, stock)


def test_a_reopened_event_is_closed_again_when_it_is_over(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)
    closed(database, stock)
    end(database, stock, after="2 days")
    with database.transaction(tenant.id) as tx:
        reopen_event(tx, stock.event_id, reason="the event was postponed")
    end(database, stock)

    assert closed(database, stock) == 10

    with database.transaction(tenant.id) as tx:
        assert entries(tx, stock)[-1] == f"write-off/{stock.event_id}/2"


def test_an_event_that_is_over_stays_closed(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)
    closed(database, stock)

    with database.transaction(tenant.id) as tx, pytest.raises(Refused, match="wrong_state"):
        reopen_event(tx, stock.event_id, reason="somebody hoped")


def test_a_round_closes_the_events_of_every_agency(database: Database, tenant: Agency, other_tenant: Agency) -> None:
    stocks = [a_stock(database, agency, starts_in=OVER) for agency in (tenant, other_tenant)]

    UpkeepActivities(database).close_ended_events()

    for stock in stocks:
        with database.transaction(stock.tenant_id) as tx:
            assert is_closed(tx, stock)


def test_an_event_that_cannot_be_closed_does_not_stop_the_others(
    database: Database, tenant: Agency, other_tenant: Agency
) -> None:
    broken, whole = a_stock(database, tenant, starts_in=OVER * 2), a_stock(database, other_tenant, starts_in=OVER)
    with database.transaction(tenant.id) as tx:
        tx.run("UPDATE events SET currency = 'CHF' WHERE id = %s", (broken.event_id,))
        tx.run("UPDATE event_seats SET cost = 0.001 WHERE event_id = %s", (broken.event_id,))
        tx.run("UPDATE events SET currency = 'XXX' WHERE id = %s", (broken.event_id,))

    UpkeepActivities(database).close_ended_events()

    with database.transaction(other_tenant.id) as tx:
        assert is_closed(tx, whole)
    with database.transaction(tenant.id) as tx:
        assert not is_closed(tx, broken)


def came_late(database: Database, agency: Agency, stock: Stock, *, at: datetime | None = None) -> None:
    """Two more seats, delivered when the event had been closed already."""
    with database.transaction(agency.id) as tx:
        tx.run(
            """INSERT INTO event_seats (tenant_id, id, event_id, venue_seat_id, section, row_label, seat_number, sort_key)
               SELECT tenant_id, gen_random_uuid(), event_id, venue_seat_id, section, 'B', seat_number, sort_key || 'B'
               FROM event_seats WHERE event_id = %s""",
            (stock.event_id,),
        )
        order_id = an_order(tx, stock.event_id, stock.supplier_id, seats=2)
    confirmed(database, agency, order_id)
    delivered(database, agency, order_id, selectors=["Parkett/B/1-2"], at=at)


def lowest_stock(tx: Tx, stock: Stock) -> Decimal:
    """The least that account 1200 ever was for the event, at any moment that an entry is effective."""
    lowest: Decimal = tx.value(
        """SELECT min(balance) FROM (SELECT sum(sum(amount)) OVER (ORDER BY effective_at) AS balance FROM journal_legs
           WHERE event_id = %s AND account = '1200' GROUP BY effective_at) AS days""",
        (stock.event_id,),
    )
    return lowest


def test_a_round_writes_off_what_was_delivered_after_its_event_had_been_closed(
    database: Database, tenant: Agency
) -> None:
    stock = a_stock(database, tenant, seats=4, starts_in=OVER)
    closed(database, stock)
    came_late(database, tenant, stock)

    swept = UpkeepActivities(database).close_ended_events()

    # Other agencies of the database may have something too.
    assert swept.events_closed >= 1
    assert swept.seats_written_off >= 2
    assert figures(database, stock)["written_off_seats"] == 6
    with database.transaction(tenant.id) as tx:
        assert entries(tx, stock)[-1] == f"write-off/{stock.event_id}/2"
        assert lowest_stock(tx, stock) == 0


def test_a_round_writes_off_what_was_given_back_after_its_event_had_been_closed(
    database: Database, tenant: Agency, provider: SimulatedPayments
) -> None:
    stock = a_stock(database, tenant, seats=4)
    booking_id = a_sale(database, stock, stock.seats[:3], provider=provider)
    end(database, stock)
    closed(database, stock)
    with database.transaction(tenant.id) as tx:
        # The clock is turned back: after an event has begun, only a process that began before it gives tickets back.
        tx.run("UPDATE events SET start_at = now() + interval '1 day', end_at = now() + interval '2 days'")
    a_cancellation(database, tenant.id, booking_id, provider=provider, tickets=2)
    end(database, stock)

    UpkeepActivities(database).close_ended_events()

    assert figures(database, stock) == {
        "unsold_seats": 0,
        "unsold_cost": Decimal("0.00"),
        "written_off_seats": 3,
        "written_off_cost": Decimal("60.00"),
    }
    with database.transaction(tenant.id) as tx:
        assert lowest_stock(tx, stock) == 0
        assert tx.values(
            """SELECT effective_at = (SELECT effective_at FROM journal_entries WHERE kind = 'CANCELLATION')
               FROM journal_entries WHERE kind = 'WRITTEN_OFF' ORDER BY entry_number"""
        ) == [False, True]


def test_a_round_looks_back_only_so_far(database: Database, tenant: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = a_stock(database, tenant, seats=4, starts_in=OVER)
    closed(database, stock)
    came_late(database, tenant, stock)
    monkeypatch.setattr("activities.upkeep.LATELY", timedelta(0))

    UpkeepActivities(database).close_ended_events()

    assert figures(database, stock)["unsold_seats"] == 2


def test_at_night_all_that_came_late_is_written_off(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, seats=4, starts_in=OVER)
    closed(database, stock)
    came_late(database, tenant, stock)

    swept = UpkeepActivities(database).close_again()

    assert swept.seats_written_off >= 2
    assert figures(database, stock)["written_off_seats"] == 6


def test_a_delivery_told_late_leaves_the_stock_at_the_events_end(database: Database, tenant: Agency) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    stock = a_stock(database, tenant, seats=4, starts_in=-timedelta(hours=4), delivered_at=began)
    closed(database, stock)
    came_late(database, tenant, stock, at=began)

    UpkeepActivities(database).close_ended_events()

    with database.transaction(tenant.id) as tx:
        assert tx.value(
            """SELECT bool_and(j.effective_at = e.end_at) FROM journal_entries j JOIN events e ON e.id = j.subject_id
               WHERE j.kind = 'WRITTEN_OFF'"""
        )
        assert lowest_stock(tx, stock) == 0


def test_a_closed_event_with_nothing_in_stock_is_not_looked_at_again(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant, starts_in=OVER)
    closed(database, stock)

    with database.transaction(tenant.id) as tx:
        assert upkeep.stocked_lately(tx, within=timedelta(hours=1)) == upkeep.stocked_after_end(tx) == []


def test_a_round_knows_when_the_next_event_will_be_over(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant)
    end(database, stock, after="30 seconds")

    swept = UpkeepActivities(database).close_ended_events()

    assert swept.next_end_in is not None
    assert timedelta(0) < swept.next_end_in <= timedelta(seconds=30)


def test_old_idempotency_keys_are_forgotten_and_young_ones_kept(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        for key, age in (("old", "26 hours"), ("young", "23 hours")):
            tx.run(
                """INSERT INTO idempotency_keys
                       (tenant_id, principal, method, path, key, fingerprint, status, body, headers, created_at)
                   VALUES (%s, 'p', 'POST', '/', %s, '', 201, '', '{}', now() - %s::interval)""",
                (tx.tenant_id, key, age),
            )

    UpkeepActivities(database).forget()

    with database.transaction(tenant.id) as tx:
        assert tx.values("SELECT key FROM idempotency_keys") == ["young"]


def test_the_door_to_the_next_end_shows_nothing_else(database: Database, tenant: Agency) -> None:
    a_stock(database, tenant, starts_in=timedelta(hours=1))

    with database.tenantless() as tx:
        assert upkeep.time_to_next_end(tx) is not None
        assert tx.value("SELECT count(*) FROM events") == 0
