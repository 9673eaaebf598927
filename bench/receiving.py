"""The rows of receiving and of expiry: a whole delivery beside a bare COPY and UPDATE, ten thousand baskets that lapse."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg

from activities import reserving
from activities.expiring import expire_due_reservations
from activities.receiving import Receiving
from bench import stock
from bench.row import Figure, Group, Judged, Row, median
from db.transaction import Database
from stand.plan import Plan
from stand.running import a_stand
from worker import collect_seldom

ROUNDS, BASKETS, AT_ONCE = 3, 10_000, 4
LAPSED = timedelta(seconds=-1)

LIST = "CREATE TEMP TABLE delivered (id uuid, cost numeric, retail_price numeric) ON COMMIT DROP"
OWN = """UPDATE event_seats s SET ownership_status = 'OWNED', cost = d.cost, purchase_price = d.cost,
    retail_price = d.retail_price FROM delivered d WHERE s.id = d.id"""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Postgres alone, and the application's way to it."""

    owner_url: str
    database: Database
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def named(self, word: str) -> str:
        """An agency's name nobody had yet."""
        return f"{word} {next(self.numbers)}"


@contextmanager
def ground() -> Iterator[Ground]:
    """A stand without engine and without callers; the steps are done here, in a process set up like a worker."""
    collect_seldom()
    with a_stand(Plan(engine="none", apis=1, mail=False, provider=False)) as stand:
        addresses = stand.addresses
        with Database(addresses.app_database_url, size=AT_ONCE, name="bench") as database:
            yield Ground(owner_url=addresses.database_url, database=database)


def receive(at: Ground, *, seats: int) -> Figure:
    """Seconds of the step that takes a delivery in, beside the same rows written barely."""
    return median([_taken_in(at, seats) for _ in range(ROUNDS)])


def expire(at: Ground) -> Figure:
    """Seconds until ten thousand lapsed baskets of four seats are over and their seats free."""
    return median([_expired(at) for _ in range(ROUNDS)])


def _taken_in(at: Ground, seats: int) -> Figure:
    step = stock.a_delivery(at.database, name=at.named("Receiver"), seats=seats)
    _settle(at)
    began = time.perf_counter()
    Receiving(at.database).record(step)
    took = time.perf_counter() - began
    _settle(at)
    return Figure(value=took, anchor=_copied(at, step.tenant_id, seats))


def _copied(at: Ground, tenant_id: UUID, seats: int) -> float:
    """COPY of the seats' ids and prices into a temporary table, one UPDATE, COMMIT; as the owner, whom no wall holds."""
    with psycopg.connect(at.owner_url, autocommit=True) as connection:
        ids = connection.execute("SELECT id FROM event_seats WHERE tenant_id = %s", (tenant_id,)).fetchall()
        began = time.perf_counter()
        with connection.transaction():
            connection.execute(LIST)
            with connection.cursor().copy("COPY delivered FROM STDIN") as copy:
                for (seat_id,) in ids:
                    copy.write_row((seat_id, stock.COST, stock.PRICE))
            connection.execute("ANALYZE delivered")
            owned = connection.execute(OWN).rowcount
        took = time.perf_counter() - began
    if owned != seats:
        raise RuntimeError(f"{owned} of {seats} seats were owned")
    return took


def _expired(at: Ground) -> Figure:
    sale = stock.lay_in(at.database, name=at.named("Lapsing"), seats=BASKETS * stock.BASKET)

    def reserve(basket: stock.Basket) -> None:
        with at.database.transaction(sale.tenant_id) as tx:
            reserving.reserve(
                tx,
                customer_id=basket.customer_id,
                event_id=sale.event_id,
                seat_ids=basket.seats,
                default_window=LAPSED,
            )

    with ThreadPoolExecutor(AT_ONCE) as callers:
        list(callers.map(reserve, sale.baskets()))
    _settle(at)
    began = time.perf_counter()
    ended = 0
    while more := expire_due_reservations(at.database):
        ended += more
    if ended != BASKETS:
        raise RuntimeError(f"{ended} of {BASKETS} baskets ended")
    return Figure(value=time.perf_counter() - began)


def _settle(at: Ground) -> None:
    with psycopg.connect(at.owner_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")


def _row(seats: int) -> Row:
    return Row(
        name=f"receive_{seats // 1000}k",
        sentence=f"Seconds to take in a delivery of {seats:,} seats: ownership, cost, receipt, bill, history, journal and seat movements, in one transaction.",
        unit="s",
        anchor="COPY of the same seats' ids and prices into a temporary table and one UPDATE of their rows, committed",
        judged=Judged.RATIO_LOW,
        floor=5,
        target=2,
        measure=partial(receive, seats=seats),
        short="beside its update every seat gets a line of history, a place on its receipt and a movement in the journal, "
        "three rows that the anchor does not write (docs/decisions/0013).",
    )


GROUPS: tuple[Group, ...] = (
    Group(
        ground=ground,
        rows=(
            _row(10_000),
            _row(50_000),
            Row(
                name="expire_10k",
                sentence="Seconds until 10,000 lapsed baskets of four seats are ended and their seats free, by the dispatcher's own rounds.",
                unit="s",
                anchor="none",
                judged=Judged.VALUE_LOW,
                floor=10,
                target=3,
                measure=expire,
            ),
        ),
    ),
)
