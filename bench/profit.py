"""The profit of five million tickets, asked for as finance asks, beside the plain SQL that counts them all again."""

from __future__ import annotations

import time
from decimal import Decimal

import httpx2
import psycopg

from activities.totals import add_up_closed_days
from bench.filling import Filled, fill
from bench.memory import peak_megabytes
from bench.row import Figure, median
from db.transaction import Database
from demo.caller import Json
from stand.running import Stand

TICKETS, ROUNDS = 5_000_000, 3

RECOUNT = """SELECT t.event_id::text, count(*), sum(t.price), sum(s.cost) FROM tickets t
    JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
    WHERE t.tenant_id = %s AND t.status = 'CONFIRMED' GROUP BY t.event_id"""

Sums = dict[str, tuple[int, Decimal, Decimal]]


def profit(stand: Stand, database: Database) -> Figure:
    """Seconds of the report, and of the recount. Raises RuntimeError when the two differ by a cent."""
    owner_url = stand.addresses.database_url
    filled = fill(owner_url, tickets=TICKETS, seed=9)
    began = time.perf_counter()
    while add_up_closed_days(database):
        pass
    closing = time.perf_counter() - began
    figures = [_in_turn(stand, owner_url, filled, closing) for _ in range(ROUNDS)]
    return median(figures)


def profit_megabytes(stand: Stand) -> Figure:
    """The peak of the API's process, in 10^6 bytes."""
    pid = stand.pid("api-1")
    assert pid is not None, "the stand is up"
    return Figure(value=peak_megabytes(pid))


def _in_turn(stand: Stand, owner_url: str, filled: Filled, closing: float) -> Figure:
    recounted, anchor = _recounted(owner_url, filled)
    began = time.perf_counter()
    told = _asked(stand, filled)
    took = time.perf_counter() - began
    _compare(told["rows"], recounted)
    return Figure(value=took, anchor=anchor, notes={"closing_all_days_s": closing, "events": float(len(recounted))})


def _asked(stand: Stand, filled: Filled) -> Json:
    headers = {"Authorization": f"Bearer {filled.token}"}
    with httpx2.Client(base_url=stand.api_urls[0], timeout=120, trust_env=False) as http:
        answer = http.get("/api/sales/reports/profit", headers=headers)
    answer.raise_for_status()
    found: Json = answer.json()
    return found


def _recounted(owner_url: str, filled: Filled) -> tuple[Sums, float]:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 2")
        began = time.perf_counter()
        rows = connection.execute(RECOUNT, (filled.tenant_id,)).fetchall()
        took = time.perf_counter() - began
    return {event: (count, price, cost) for event, count, price, cost in rows}, took


def _compare(rows: list[Json], recounted: Sums) -> None:
    """What is kept of a sale is its price less what was given back; a cancelled ticket's cost went back into stock."""

    def amount(row: Json, name: str) -> Decimal:
        return Decimal(row[name]["amount"])

    told = {
        row["key"]: (
            row["tickets_sold"] - row["tickets_refunded"],
            amount(row, "net_revenue"),
            amount(row, "cost_of_sales"),
        )
        for row in rows
        if row["tickets_sold"]
    }
    if told != recounted:
        wrong = [key for key in recounted if told.get(key) != recounted[key]]
        first = f"{wrong[0]}: {told.get(wrong[0])} for {recounted[wrong[0]]}" if wrong else "an event nobody recounted"
        raise RuntimeError(f"the report and the recount differ in {len(wrong)} events, first {first}")
