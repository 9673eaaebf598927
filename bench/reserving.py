"""The rows of reserving: four seats over HTTP beside the same statements by pgbench, a rush, a sell-out and a storm."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from starlette.testclient import TestClient

from api.app import build
from bench import callers, pgbench, stock, wire
from bench.callers import Heard
from bench.row import Figure, Group, Judged, Row, median
from bench.stock import Basket, OnSale
from bench.tails import typical
from db.transaction import Database
from settings import Settings
from stand.plan import Plan
from stand.running import a_stand

One = TypeVar("One")
Two = TypeVar("Two")

SEATS, RUN, ROUNDS = 100_000, 4_000, 3
FEW, MANY = 8, 64
AGENCIES, SEATS_EACH, RUN_OF_AGENCIES = 100, 240, 6_000
STORM_SEATS, STORM_BASKETS, STORM_MOST = 50, 2_000, 4
CREATED, CONFLICT, AWAY = 201, 409, 503
# The knee: the highest rate, as a part of what a closed loop reaches, at which nobody waits longer than this.
STEPS, PATIENCE, STEP_SECONDS, HALF_SECONDS = (0.9, 0.8, 0.7, 0.6, 0.5), 0.1, 3, 25
WARM = 20

DOUBLE = """SELECT count(*) FROM (SELECT FROM tickets WHERE status IN ('RESERVED', 'CONFIRMED')
    GROUP BY tenant_id, event_seat_id HAVING count(*) > 1) AS seats"""
PARTIAL = """SELECT count(*) FROM bookings b WHERE b.ticket_count <> (SELECT count(*) FROM tickets t
    JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id AND s.status = 'RESERVED'
    WHERE t.tenant_id = b.tenant_id AND t.booking_id = b.id AND t.status = 'RESERVED')"""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Postgres and one API, and an event of 100,000 seats on sale; the baskets lie in an order without order."""

    owner_url: str
    app_url: str
    api_url: str
    sale: OnSale
    baskets: Sequence[Basket]

    def ours(self, *, connections: int = FEW, requests: int = RUN, rate: float | None = None) -> Heard:
        """So many baskets over HTTP; every one must be made."""
        stock.put_back(self.owner_url)
        self._warm()
        stock.count(self.owner_url)
        asked = self.baskets[WARM * FEW :][:requests]
        return callers.call(self.api_url, asked, callers=connections, rate=rate).checked(CREATED)

    def anchor(self, *, rate: float | None = None, transactions: int = RUN) -> pgbench.Ran:
        """As many by pgbench, 8 clients."""
        return anchored(self.owner_url, self.app_url, of=len(self.baskets), transactions=transactions, rate=rate)

    def _warm(self) -> None:
        """Some are sold, and every connection has prepared its statements, as those of a running house have."""
        callers.call(self.api_url, self.baskets[: WARM * FEW], callers=FEW).checked(CREATED)


def anchored(owner_url: str, url: str, *, of: int, transactions: int, rate: float | None = None) -> pgbench.Ran:
    """Reservations by pgbench where as many are sold already, and counted, as where ours are measured."""
    stock.put_back(owner_url)
    pgbench.run(url, of=of, transactions=WARM * FEW, clients=FEW)
    stock.count(owner_url)
    return pgbench.run(url, of=of, transactions=transactions, clients=FEW, rate=rate, turn=WARM)


@contextmanager
def ground() -> Iterator[Ground]:
    """The stand, and what is sold there."""
    with a_stand(Plan(engine="none", apis=1, mail=False, provider=False)) as stand:
        urls = stand.addresses
        with Database(urls.app_database_url, size=1, name="bench") as database:
            sale = stock.lay_in(database, name="Bench", seats=SEATS)
        baskets = sale.baskets()
        random.Random(7).shuffle(baskets)
        pgbench.spread(urls.database_url, baskets)
        yield Ground(
            owner_url=urls.database_url,
            app_url=urls.app_database_url,
            api_url=stand.api_urls[0],
            sale=sale,
            baskets=baskets,
        )


def reserve(at: Ground) -> Figure:
    """Reservations per second."""
    pairs = _pairs(at.ours, at.anchor)
    return median([Figure(value=one.rate, anchor=two.rate, notes=_milliseconds(one)) for one, two in pairs])


def reserve_p99(at: Ground) -> Figure:
    """Milliseconds at half of the knee."""
    knee = _knee(at)
    rate = knee / 2
    count = int(rate * HALF_SECONDS)
    pairs = _pairs(
        lambda: at.ours(connections=MANY, requests=count, rate=rate),
        lambda: at.anchor(rate=rate, transactions=count),
    )
    figures = [
        Figure(
            value=typical(one.ends, one.seconds, 0.99) * 1e3,
            anchor=typical(two.ends, two.seconds, 0.99) * 1e3,
            notes={
                "knee": knee,
                "p50_ms": one.quantile(0.5) * 1e3,
                "anchor_p50_ms": two.quantile(0.5) * 1e3,
                "whole_p99_ms": one.quantile(0.99) * 1e3,
                "anchor_whole_p99_ms": two.quantile(0.99) * 1e3,
            },
        )
        for one, two in pairs
    ]
    return median(figures)


def callers_64(at: Ground) -> Figure:
    """Reservations per second with 64 connections beside those with 8."""
    pairs = _pairs(lambda: at.ours(connections=MANY), at.ours)
    return median([Figure(value=one.rate, anchor=two.rate, notes=_milliseconds(one)) for one, two in pairs])


def sell_out(at: Ground) -> Figure:
    """Reservations per second in the last and in the first tenth of a whole sale."""
    sales = [at.ours(requests=SEATS) for _ in range(ROUNDS)]
    return median([Figure(value=one.tenth(9), anchor=one.tenth(0), notes={"seconds": one.ends[-1]}) for one in sales])


def storm(at: Ground) -> Figure:
    """What went wrong when 64 callers wanted the same 50 seats."""
    dice = random.Random(7)
    counted = {"double_sales": 0.0, "partial_bookings": 0.0, "errors_to_clients": 0.0, "seats_left": 0.0}
    for _ in range(ROUNDS):
        stock.put_back(at.owner_url)
        seats = at.sale.seats[:STORM_SEATS]
        wishes = [
            Basket(at.sale, at.sale.customers[0], tuple(dice.sample(seats, dice.randint(1, STORM_MOST))))
            for _ in range(STORM_BASKETS)
        ]
        heard = callers.call(at.api_url, wishes, callers=MANY)
        with psycopg.connect(at.owner_url) as connection:
            counted["double_sales"] += _count(connection, DOUBLE)
            counted["partial_bookings"] += _count(connection, PARTIAL)
            sold = _count(connection, "SELECT count(*) FROM event_seats WHERE status = 'RESERVED'")
        counted["seats_left"] += STORM_SEATS - sold
        counted["errors_to_clients"] += sum(n for code, n in heard.statuses.items() if code not in (CREATED, CONFLICT))
    wrong = counted["double_sales"] + counted["partial_bookings"] + counted["errors_to_clients"]
    return Figure(value=wrong, notes={**counted, "requests": float(STORM_BASKETS * ROUNDS)})


def tenants(at: Ground) -> Figure:
    """Reservations per second by pgbench with walls, and by a login whom the walls do not hold."""
    with Database(at.app_url, size=1, name="bench") as database:
        sales = [stock.lay_in(database, name=f"Agency {n}", seats=SEATS_EACH) for n in range(AGENCIES)]
    baskets = [basket for sale in sales for basket in sale.baskets()]
    pgbench.spread(at.owner_url, baskets)

    def reserved_by(url: str) -> pgbench.Ran:
        return anchored(at.owner_url, url, of=len(baskets), transactions=RUN_OF_AGENCIES - WARM * FEW)

    with pgbench.without_walls(at.owner_url, at.app_url) as free_url:
        pairs = _pairs(lambda: reserved_by(at.app_url), lambda: reserved_by(free_url))
    return median([Figure(value=one.rate, anchor=two.rate) for one, two in pairs])


def statements_reserve(at: Ground) -> Figure:
    """Statements of one reservation."""
    stock.put_back(at.owner_url)
    trips = one_reservation(at.app_url, at.baskets[:WARM])
    sent = sum(len(trip) for trip in trips)
    return Figure(value=len(wire.statements(trips)), notes={"with BEGIN and COMMIT": sent, "round_trips": len(trips)})


def locked_round_trips(at: Ground) -> Figure:
    """Round trips of one reservation while seats are locked."""
    stock.put_back(at.owner_url)
    return Figure(value=wire.trips_with_locks(one_reservation(at.app_url, at.baskets[:WARM])))


def one_reservation(app_url: str, baskets: Sequence[Basket]) -> list[wire.Trip]:
    """What an API of our own says to PostgreSQL for the last of the baskets, once its statements are prepared."""
    with wire.listened_to(app_url) as tapped, TestClient(build(Settings(), Database(tapped.url, size=1))) as http:
        before = 0
        for basket in baskets:
            before = len(tapped.said)
            headers = {"Authorization": f"Bearer {basket.sale.token}"}
            answer = http.post(callers.PATH, json=basket.body(), headers=headers)
            while answer.status_code == AWAY:  # The first connection is on its way, and nothing was done.
                answer = http.post(callers.PATH, json=basket.body(), headers=headers)
            if answer.status_code != CREATED:
                raise RuntimeError(f"the basket was not reserved: {answer.text}")
        return tapped.trips(before)


def _pairs(ours: Callable[[], One], anchor: Callable[[], Two]) -> list[tuple[One, Two]]:
    """Three pairs, in each of which the dice say who goes first."""
    dice = random.Random(7)
    pairs: list[tuple[One, Two]] = []
    for _ in range(ROUNDS):
        if dice.random() < 1 / 2:
            one = ours()
            pairs.append((one, anchor()))
        else:
            two = anchor()
            pairs.append((ours(), two))
    return pairs


def _knee(at: Ground) -> float:
    """The highest rate that is still served without a queue that grows."""
    most = at.ours().rate
    for step in STEPS:
        rate = most * step
        if at.ours(connections=MANY, requests=int(rate * STEP_SECONDS), rate=rate).quantile(0.99) <= PATIENCE:
            return rate
    return most * STEPS[-1]


def _milliseconds(heard: Heard) -> dict[str, float | str]:
    return {"p50_ms": heard.quantile(0.5) * 1e3, "p99_ms": heard.quantile(0.99) * 1e3}


def _count(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


SAME = (
    "pgbench -M prepared, 8 clients, as the app's role over the same TCP port, one transaction each of BEGIN, "
    "authenticate (which names the tenant), the READ and the TAKE of db/reserving.py as they are, COMMIT, each a round "
    "trip; ids, barcodes and the basket (the same baskets in an order without order) come with the statement that "
    "authenticates"
)

ROWS = (
    Row(
        name="reserve",
        sentence="Reservations of 4 seats per second over HTTP: 8 connections, a login's token, tenant and row-level security.",
        unit="/s",
        anchor=SAME,
        judged=Judged.RATIO_HIGH,
        floor=0.30,
        target=0.45,
        measure=reserve,
        short="HTTP, the token, the prices' arithmetic and JSON take the API's one process longer than the database takes, and "
        "on the same cores; a function in the database would reach 0.64, with prices in SQL (docs/decisions/0011).",
    ),
    Row(
        name="reserve_p99",
        sentence="p99 of a reservation in open loop at half of its knee (the highest rate with a p99 within 100 ms), from the moment it was due; "
        "the median window of 5 s.",
        unit="ms",
        anchor="`pgbench -R` at the same rate with the same transaction, 8 clients, from the moment it was due",
        judged=Judged.RATIO_LOW,
        floor=4,
        target=2.5,
        measure=reserve_p99,
        short="a reservation over HTTP takes three times the CPU of pgbench's, and hands over fourteen times between processes and threads "
        "on two cores: of requests that come at random, some wait for three or four others (docs/decisions/0011).",
    ),
    Row(
        name="callers_64",
        sentence="Reservations of 4 seats per second with 64 connections.",
        unit="/s",
        anchor="the same with 8 connections",
        judged=Judged.RATIO_HIGH,
        floor=0.6,
        target=0.8,
        measure=callers_64,
    ),
    Row(
        name="sell_out",
        sentence="100,000 seats sold out by fours, 8 connections: reservations per second in the last tenth.",
        unit="/s",
        anchor="the first tenth of the same sale",
        judged=Judged.RATIO_HIGH,
        floor=0.6,
        target=0.8,
        measure=sell_out,
    ),
    Row(
        name="storm",
        sentence="64 callers want 1 to 4 of the same 50 seats: seats sold twice, bookings without all their seats, and answers that are neither 201 nor 409.",
        unit="faults",
        anchor="none may happen",
        judged=Judged.VALUE_LOW,
        floor=0,
        target=0,
        measure=storm,
    ),
    Row(
        name="statements_reserve",
        sentence="Statements of one reservation but BEGIN and COMMIT, counted on the wire.",
        unit="statements",
        anchor="none",
        judged=Judged.VALUE_LOW,
        floor=8,
        target=3,
        measure=statements_reserve,
    ),
    Row(
        name="locked_round_trips",
        sentence="Round trips of one reservation after the one that locks its seats, the COMMIT included.",
        unit="round trips",
        anchor="none",
        judged=Judged.VALUE_LOW,
        floor=6,
        target=1,
        measure=locked_round_trips,
    ),
    Row(
        name="tenants",
        sentence="The transaction of `reserve` by pgbench over 100 agencies, with row-level security.",
        unit="/s",
        anchor="the same by a login with the same rights and BYPASSRLS",
        judged=Judged.RATIO_HIGH,
        floor=0.85,
        target=0.93,
        measure=tenants,
        short="a policy costs one comparison a statement and its part of each plan (docs/decisions/0011); the runs of one "
        "side differ by more than what is missing (least and most).",
    ),
)

GROUPS = (Group(ground=ground, rows=ROWS),)
