"""Reserving: all of a basket or nothing, one winner per seat, and what proves that the guards do it."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from activities import reserving as steps
from activities.reserving import Reservation
from db import events, reserving
from db.ids import new_id
from db.transaction import Database, Tx
from domain.states import Refused
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.reserving import WINDOW, a_customer, buy, live_tickets, reserve
from tests.makers.selling import Shop, a_shop, at_once, codes


def refused(shop: Shop, *places: int) -> Refused:
    with shop.tx() as tx, pytest.raises(Refused) as caught:
        reserve(tx, shop, *places)
    return caught.value


def test_a_basket_holds_its_seats_for_the_window(shop: Shop) -> None:
    with shop.tx() as tx:
        made = reserve(tx, shop, 3, 1)

    booking = shop.booking(made.booking_id)
    assert [seat.seat_number for seat in made.seats] == ["1", "3"]
    assert booking.reserved_until - booking.created_at == WINDOW
    assert booking.held_until == booking.reserved_until == shop.held_until(1) == shop.held_until(3)
    assert (booking.subtotal, booking.service_fee, booking.total_amount) == (Decimal(70), Decimal(7), Decimal(77))
    assert shop.seat_states(1, 2, 3) == ["RESERVED", "AVAILABLE", "RESERVED"]
    assert shop.faults() == []


def test_the_agencys_own_window_goes_before_the_installations(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE tenants SET reservation_window = interval '3 seconds' WHERE id = %s", (tx.tenant_id,))

    with shop.tx() as tx:
        made = reserve(tx, shop, 1)

    assert made.reserved_until - made.created_at == timedelta(seconds=3)


def test_one_lost_seat_loses_the_basket_and_the_rest_is_named(shop: Shop) -> None:
    shop.basket(2)

    refusal = refused(shop, 1, 2, 3)

    assert refusal.code == "seats_unavailable"
    assert refusal.facts == {"unavailable": shop.seats(2), "still_available": shop.seats(1, 3)}
    assert shop.seat_states(1, 3) == ["AVAILABLE", "AVAILABLE"]
    assert shop.faults() == []


def test_the_same_seat_twice_points_at_the_second(shop: Shop) -> None:
    refusal = refused(shop, 1, 2, 1)

    assert (refusal.code, refusal.errors[0].pointer) == ("duplicate_seat", "/seats/2")


def test_unknown_ids_are_told_before_the_state_of_the_sale(shop: Shop) -> None:
    with shop.tx() as tx:
        events.move(tx, shop.stock.event_id, status="PUBLISHED")

    with shop.tx() as tx, pytest.raises(Refused) as caught:
        steps.reserve(
            tx,
            customer_id=new_id(),
            event_id=shop.stock.event_id,
            seat_ids=[shop.stock.seats[0], new_id()],
            default_window=WINDOW,
        )

    assert caught.value.code == "unknown_id"
    assert [fault.pointer for fault in caught.value.errors] == ["/customer_id", "/seats/1"]


def test_a_seat_of_another_event_is_unknown_here(shop: Shop, database: Database, tenant: Agency) -> None:
    elsewhere = a_shop(database, tenant, supplier_id=shop.stock.supplier_id, title="Carmen")

    with shop.tx() as tx, pytest.raises(Refused) as caught:
        steps.reserve(
            tx,
            customer_id=a_customer(shop),
            event_id=shop.stock.event_id,
            seat_ids=elsewhere.seats(1),
            default_window=WINDOW,
        )

    assert caught.value.code == "unknown_id"


@pytest.mark.parametrize("status", ["DRAFT", "PUBLISHED"])
def test_nothing_is_sold_before_the_sale_is_open(shop: Shop, status: str) -> None:
    with shop.tx() as tx:
        events.move(tx, shop.stock.event_id, status=status)

    assert refused(shop, 1).code == "not_on_sale"


def test_nothing_is_sold_when_the_event_is_over(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run(
            "UPDATE events SET start_at = now() - interval '3 hours', end_at = now() WHERE id = %s",
            (shop.stock.event_id,),
        )

    assert refused(shop, 1).code == "not_on_sale"


def test_a_seat_without_a_price_is_not_sold(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE event_seats SET retail_price = NULL WHERE id = %s", shop.seats(2))

    refusal = refused(shop, 1, 2)

    assert (refusal.code, refusal.errors[0].pointer) == ("no_price", "/seats/1")


@pytest.mark.parametrize(
    ("status", "ownership"), [("BLOCKED", "OWNED"), ("HELD", "OWNED"), ("AVAILABLE", "RETURNED_TO_SUPPLIER")]
)
def test_only_seats_we_own_and_offer_are_sold(shop: Shop, status: str, ownership: str) -> None:
    with shop.tx() as tx:
        tx.run(
            "UPDATE event_seats SET status = %s, ownership_status = %s WHERE id = %s",
            (status, ownership, *shop.seats(1)),
        )

    assert refused(shop, 1).code == "seats_unavailable"


def test_a_lapsed_seat_ends_exactly_its_old_ticket(shop: Shop) -> None:
    before = shop.basket(1, 2, 3)
    shop.lapse(before)

    with shop.tx() as tx:
        after = reserve(tx, shop, 2).booking_id

    assert shop.ticket_states(before) == ["RESERVED", "CANCELLED", "RESERVED"]
    assert shop.ticket_states(after) == ["RESERVED"]
    assert shop.faults() == []

    shop.expire(before)

    assert shop.status(before) == ("CANCELLED", "EXPIRED", "PENDING")
    assert shop.seat_states(1, 2, 3) == ["AVAILABLE", "RESERVED", "AVAILABLE"]
    assert shop.faults() == []


def test_the_clock_of_the_database_decides_to_the_moment(shop: Shop) -> None:
    shop.basket(1, window=timedelta(milliseconds=300))
    assert refused(shop, 1).code == "seats_unavailable"

    with shop.tx() as tx:
        tx.run("SELECT pg_sleep(0.35)")
    with shop.tx() as tx:
        reserve(tx, shop, 1)

    assert live_tickets(shop, 1) == 1


def test_a_price_changed_between_reading_and_taking_is_read_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    read = reserving.read_basket

    def read_then_reprice(tx: Tx, **which: object) -> list[reserving.BasketSeat]:
        found = read(tx, **which)  # type: ignore[arg-type]
        monkeypatch.setattr(reserving, "read_basket", read)
        shop.price(1, "99.00")
        return found

    monkeypatch.setattr(reserving, "read_basket", read_then_reprice)
    with shop.tx() as tx:
        made = reserve(tx, shop, 1)

    assert made.seats[0].price == Decimal(99)
    assert made.priced.total.amount == Decimal("108.90")


def test_a_seat_that_is_written_off_between_reading_and_taking_is_not_sold(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reserving.read_basket

    def read_then_close(tx: Tx, **which: object) -> list[reserving.BasketSeat]:
        found = read(tx, **which)  # type: ignore[arg-type]
        with shop.tx() as elsewhere:
            elsewhere.run("UPDATE event_seats SET written_off = TRUE WHERE id = %s", shop.seats(1))
        return found

    monkeypatch.setattr(reserving, "read_basket", read_then_close)

    refusal = refused(shop, 1, 2)

    assert refusal.code == "seats_unavailable"
    assert shop.seat_states(1, 2) == ["AVAILABLE", "AVAILABLE"]


def test_a_basket_is_one_reading_and_one_taking_round_trip(shop: Shop, tmp_path: Path) -> None:
    customer_id = a_customer(shop)

    with shop.tx() as tx, tempfile.TemporaryFile("w+") as trace:
        tx.conn.prepare_threshold = None  # A statement met often is prepared, which is one more, once.
        tx.conn.pgconn.trace(trace.fileno())
        made = reserve(tx, shop, 1, 2, 3, 4, customer_id=customer_id)
        tx.conn.pgconn.untrace()
        trace.seek(0)
        round_trips = sum("\tSync" in line or "\tQuery\t" in line for line in trace)

    assert len(made.seats) == 4
    assert round_trips == 2


def test_forty_buyers_and_one_seat_make_one_winner(shop: Shop, clone: Clone) -> None:
    customer_id = a_customer(shop)

    with Database(clone.app_url, size=40) as rush:
        outcomes = buy(rush, shop, 40, [1], customer_id)

    assert codes(outcomes) == ["seats_unavailable"] * 39
    assert live_tickets(shop, 1) == 1
    assert shop.faults() == []


def test_a_lapsed_seat_has_one_winner_too(shop: Shop, clone: Clone) -> None:
    customer_id = a_customer(shop)
    shop.lapse(shop.basket(1, 2))

    with Database(clone.app_url, size=40) as rush:
        outcomes = buy(rush, shop, 40, [1], customer_id)

    assert codes(outcomes) == ["seats_unavailable"] * 39
    assert live_tickets(shop, 1) == 1
    assert shop.faults() == []


def test_overlapping_baskets_in_any_order_never_deadlock(shop: Shop) -> None:
    customer_id = a_customer(shop)
    dice = random.Random(7)

    def basket(_: int) -> object:
        places = dice.sample(range(1, 11), 4)
        with shop.tx() as tx:
            return reserve(tx, shop, *places, customer_id=customer_id)

    outcomes = [outcome for _ in range(5) for outcome in at_once(20, basket)]

    winners = [outcome for outcome in outcomes if isinstance(outcome, Reservation)]
    assert 1 <= len(winners) <= 2
    assert set(codes(outcomes)) == {"seats_unavailable"}
    assert sum(len(winner.seats) for winner in winners) == shop.seat_states(*range(1, 11)).count("RESERVED")
    assert shop.faults() == []
