"""What the bench counts of a reservation does not depend on the hour: statements, round trips, and how seats are found."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from activities import reserving as steps
from api.app import build
from api.lanes import THREADS
from bench import reserving as rows
from bench import stock, wire
from bench.callers import PATH
from bench.stock import OnSale
from db import reserving
from db.transaction import Database, Tx
from settings import Settings
from tests import ground
from tests.ground import Clone
from tests.makers.reserving import WINDOW

SEATS = 4_000
BY_KEY = {"event_seats": {"pk_event_seats"}, "tickets": {"pk_tickets", "uq_tickets_live_seat"}}
"""How a basket's seats and tickets are found, however large the hall and however much of it is sold."""

Plan = dict[str, Any]
Asked = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def halls(worker_name: str) -> Iterator[tuple[Database, dict[str, OnSale]]]:
    """A hall that is nearly sold out, and one whose sale begins, in a database of their own."""
    with ground.clone(f"{worker_name}_halls") as alone, Database(alone.app_url, size=2, name="plans") as database:
        sales = {
            name: stock.lay_in(database, name=name, seats=SEATS) for name in ("nearly sold out", "not sold at all")
        }
        sell(database, sales["nearly sold out"], 0.95)
        with psycopg.connect(alone.owner_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        yield database, sales


def test_a_reservation_is_three_statements_and_one_round_trip_while_seats_are_locked(clone: Clone) -> None:
    with Database(clone.app_url, size=1) as database:
        sale = stock.lay_in(database, name="Wire", seats=80)

    trips = rows.one_reservation(clone.app_url, sale.baskets())

    assert [[statement.split()[0] for statement in trip] for trip in trips] == [
        ["BEGIN", "SELECT"],
        ["SELECT"],
        ["WITH"],
        ["COMMIT"],
    ]
    assert len(wire.statements(trips)) == 3
    assert wire.trips_with_locks(trips) == 1


def test_two_hundred_callers_at_once_wait_their_turn_and_are_all_served(clone: Clone) -> None:
    with Database(clone.app_url, size=1) as database:
        sale = stock.lay_in(database, name="Rush", seats=200)
    baskets, headers = sale.baskets(size=1), {"Authorization": f"Bearer {sale.token}"}

    with TestClient(build(Settings(), Database(clone.app_url, size=THREADS))) as http, ThreadPoolExecutor(200) as crowd:
        while http.get("/api/bookings", headers=headers).status_code == 503:
            continue  # The first connection is on its way.
        answers = list(crowd.map(lambda one: http.post(PATH, json=one.body(), headers=headers).status_code, baskets))

    assert answers == [201] * 200


@pytest.mark.parametrize("hall", ["not sold at all", "nearly sold out"])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_seats_and_tickets_are_found_by_key_at_any_part_sold(
    halls: tuple[Database, dict[str, OnSale]], monkeypatch: pytest.MonkeyPatch, hall: str, mode: str
) -> None:
    database, sales = halls
    sale = sales[hall]

    with database.transaction(sale.tenant_id) as tx, listening(monkeypatch) as asked:
        tx.run(f"SET LOCAL plan_cache_mode = {mode}")
        tx.keep = False
        reserve(tx, sale, sale.seats[-4:])
        plans = [explained(tx, query, asked[query]) for query in (reserving.READ, reserving.TAKE)]

    scans = {(node["Relation Name"], node["Node Type"]) for plan in plans for node in nodes(plan) if by_itself(node)}
    indexes = {node["Index Name"] for plan in plans for node in nodes(plan) if "Index Name" in node}
    assert scans == set()
    assert indexes & {"pk_event_seats"}
    assert not {name for name in indexes if "event_seats" in name} - BY_KEY["event_seats"]
    assert not {name for name in indexes if "tickets" in name} - BY_KEY["tickets"]


def sell(database: Database, sale: OnSale, part: float) -> None:
    """So much of the hall, from the front, in baskets of fifty."""
    for first in range(0, int(SEATS * part), 50):
        with database.transaction(sale.tenant_id) as tx:
            reserve(tx, sale, sale.seats[first : first + 50])


def reserve(tx: Tx, sale: OnSale, seats: tuple[Any, ...]) -> None:
    steps.reserve(
        tx, customer_id=sale.customers[0], event_id=sale.event_id, seat_ids=list(seats), default_window=WINDOW
    )


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """The parameters of the two statements, as the product gave them."""
    asked: Asked = {}
    every, one = Tx.all, Tx.maybe
    with monkeypatch.context() as patches:
        patches.setattr(Tx, "all", lambda tx, query, params, *, into: noted(asked, query, params, every, tx, into))
        patches.setattr(Tx, "maybe", lambda tx, query, params, *, into: noted(asked, query, params, one, tx, into))
        yield asked


def noted(asked: Asked, query: str, params: Any, ask: Any, tx: Tx, into: type[Any]) -> Any:
    asked[query] = params
    return ask(tx, query, params, into=into)


def explained(tx: Tx, query: str, params: dict[str, Any]) -> Plan:
    """The plan of a statement that the connection keeps prepared, in the transaction's mode of planning."""
    with tx.conn.cursor() as cursor:
        cursor.execute(query, params, prepare=True)
    name = tx.value(
        "SELECT name FROM pg_prepared_statements WHERE left(statement, 20) = left(%s, 20) ORDER BY prepare_time DESC",
        (query,),
    )
    order = list(dict.fromkeys(part.split(")s")[0] for part in query.split("%(")[1:]))
    places = ", ".join(f"%({word})s" for word in order)
    with psycopg.ClientCursor(tx.conn) as cursor:
        row = cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({places})", params).fetchone()
    assert row is not None
    plan: Plan = row[0][0]["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def by_itself(node: Plan) -> bool:
    """A scan of the whole of a table that grows with the hall."""
    return node["Node Type"] == "Seq Scan" and node.get("Relation Name") in BY_KEY
