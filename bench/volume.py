"""The rows of volume: selling beside a million sold tickets, the invariants over them, and the profit of five million."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

import psycopg

from activities import booking as selling
from activities.booking import BookingActivities, SettleStep
from activities.payments import CaptureStep, PaymentActivities
from activities.words import Word
from bench import callers, stock
from bench.filling import Filled, fill, outside
from bench.profit import profit, profit_megabytes
from bench.row import Figure, Group, Judged, Row
from db import invariants
from db.transaction import Database
from gateways.payments import ProviderState, SimulatedPayments
from settings import Settings
from stand.plan import Plan
from stand.running import Stand, a_stand

FEW, MANY, FULL = 10_000, 1_000_000, 10_000_000
ROUNDS, BASKETS, PAID = 3, 1_500, 400
CONNECTIONS, CREATED = 8, 201
# The steps measured here only write; whoever called it would find nobody.
NOBODY = SimulatedPayments("http://127.0.0.1:9", timeout=0.1)
FOR_SALE = ROUNDS * BASKETS * stock.BASKET


@dataclass(frozen=True, kw_only=True)
class Sold:
    """How fast seats were reserved and paid for beside so many sold tickets; per second, the middle of three runs."""

    reserved: float
    paid: float


@dataclass
class Ground:
    """Postgres and one API; what is in the tables grows as the rows ask for it."""

    stand: Stand
    database: Database

    @property
    def owner_url(self) -> str:
        """The owner's way in."""
        return self.stand.addresses.database_url

    @cached_property
    def beside_few(self) -> Sold:
        """Selling while the tables are small; asked first."""
        return self._sold(fill(self.owner_url, tickets=FEW, seed=7, for_sale=FOR_SALE))

    @cached_property
    def beside_many(self) -> Sold:
        """Selling beside a million, or with BENCH=full ten."""
        tickets = FULL if os.environ.get("BENCH") == "full" else MANY
        _ = self.beside_few
        return self._sold(fill(self.owner_url, tickets=tickets, seed=8, for_sale=FOR_SALE))

    def _sold(self, filled: Filled) -> Sold:
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        baskets = iter(a_sale(self.database, filled).baskets())
        reserved, paid = [], []
        for _ in range(ROUNDS):
            asked = list(itertools.islice(baskets, BASKETS))
            reserved.append(callers.call(self.stand.api_urls[0], asked, callers=CONNECTIONS).checked(CREATED).rate)
            paid.append(self._paid(filled.tenant_id))
        return Sold(reserved=statistics.median(reserved), paid=statistics.median(paid))

    def _paid(self, tenant_id: UUID) -> float:
        """Bookings per second through the steps of a payment, one after the other, its provider's word at hand."""
        with self.database.transaction(tenant_id) as tx:
            open_ones = tx.values(
                "SELECT id FROM bookings WHERE status = 'RESERVED' AND payment_status = 'PENDING' ORDER BY id DESC LIMIT %s",
                (PAID,),
            )
        began = time.perf_counter()
        for booking_id in open_ones:
            pay(self.database, tenant_id, booking_id)
        return len(open_ones) / (time.perf_counter() - began)


@contextmanager
def ground() -> Iterator[Ground]:
    """The stand, still empty."""
    with (
        a_stand(Plan(engine="none", apis=1, mail=False, provider=False)) as stand,
        Database(stand.addresses.app_database_url, size=4, name="bench") as database,
    ):
        yield Ground(stand, database)


def a_sale(database: Database, filled: Filled) -> stock.OnSale:
    """The filled agency's event of which nothing was sold yet."""
    assert filled.for_sale_event_id is not None
    with database.transaction(filled.tenant_id) as tx:
        query = "SELECT id FROM event_seats WHERE event_id = %s ORDER BY sort_key"
        seats = tx.values(query, (filled.for_sale_event_id,))
        buyers = tx.values("SELECT id FROM customers LIMIT 50")
    return stock.OnSale(
        tenant_id=filled.tenant_id,
        event_id=filled.for_sale_event_id,
        seats=tuple(seats),
        customers=tuple(buyers),
        token=filled.token,
    )


def pay(database: Database, tenant_id: UUID, booking_id: UUID) -> None:
    """A payment's three transactions as its process takes them: asked for, sold, taken."""
    with database.transaction(tenant_id) as tx:
        payment_id = selling.begin_payment(
            tx,
            booking_id,
            method="CREDIT_CARD",
            provider="simulated",
            token="tok_ok",  # noqa: S106 -- the simulated provider's word for a good card
            grace=Settings().payment_grace,
        )
    reference = f"ch_{payment_id.hex}"
    promised = Word(state=ProviderState.AUTHORISED, reference=reference, occurred_at=datetime.now(UTC))
    BookingActivities(database).settle(SettleStep(tenant_id=tenant_id, payment_id=payment_id, word=promised))
    taken = Word(state=ProviderState.CAPTURED, reference=reference, occurred_at=datetime.now(UTC))
    PaymentActivities(database, NOBODY).record_capture(
        CaptureStep(tenant_id=tenant_id, payment_id=payment_id, word=taken)
    )


def volume_reserve(at: Ground) -> Figure:
    """Reservations per second beside many, beside few."""
    return Figure(value=at.beside_many.reserved, anchor=at.beside_few.reserved)


def volume_pay(at: Ground) -> Figure:
    """Payments per second beside many, beside few."""
    return Figure(value=at.beside_many.paid, anchor=at.beside_few.paid)


def verify(at: Ground) -> Figure:
    """Seconds of all invariants over what is in the tables by now. Raises RuntimeError when one finds something."""
    _ = at.beside_many
    known = outside(at.owner_url)
    began = time.perf_counter()
    found = invariants.all_violations(at.owner_url, known)
    took = time.perf_counter() - began
    wrong = [f"{name}: {row.subject} {row.fault}" for name, rows in found.items() for row in rows]
    if wrong:
        raise RuntimeError(f"{len(wrong)} rows violate an invariant, first {wrong[0]}")
    return Figure(value=took, notes={"invariants": float(len(found))})


ROWS = (
    Row(
        name="volume_reserve",
        sentence="Reservations of 4 seats per second over HTTP, 8 connections, with 1,000,000 sold tickets in the tables (10,000,000 with BENCH=full).",
        unit="/s",
        anchor="the same with 10,000",
        judged=Judged.RATIO_HIGH,
        floor=0.8,
        target=0.95,
        measure=volume_reserve,
    ),
    Row(
        name="volume_pay",
        sentence="Payments per second through their three transactions (asked for, sold, taken), one caller, with as many tickets in the tables.",
        unit="/s",
        anchor="the same with 10,000",
        judged=Judged.RATIO_HIGH,
        floor=0.8,
        target=0.95,
        measure=volume_pay,
    ),
    Row(
        name="verify_1m",
        sentence="Seconds of all invariants over 1,000,000 tickets.",
        unit="s",
        anchor="none",
        judged=Judged.VALUE_LOW,
        floor=60,
        target=30,
        measure=verify,
    ),
    Row(
        name="profit_5m",
        sentence="Seconds of GET /api/sales/reports/profit by event over 5,000,000 tickets, equal to the recount to the cent.",
        unit="s",
        anchor="plain SQL, with two parallel workers: tickets joined to their seats, prices and costs added up by event",
        judged=Judged.RATIO_LOW,
        floor=1,
        target=0.1,
        measure=lambda at: profit(at.stand, at.database),
        short="what was recorded since midnight is read leg by leg (docs/decisions/0010).",
    ),
    Row(
        name="profit_5m_mb",
        sentence="The most memory that the API's process ever held after that.",
        unit="MB",
        anchor="none",
        judged=Judged.VALUE_LOW,
        floor=250,
        target=150,
        measure=lambda at: profit_megabytes(at.stand),
    ),
)

GROUPS: tuple[Group, ...] = (Group(ground=ground, rows=ROWS),)
