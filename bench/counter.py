"""A box office at full speed: callers on connections that stay open, each reserving, paying and seeing its booking sold."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg

from bench.tails import quantile
from demo.caller import Json

LOOK_SECONDS = 0.01
PATIENCE = 120.0


@dataclass(frozen=True, kw_only=True)
class Sale:
    """What is sold, to whom, by whom."""

    api_url: str
    database_url: str
    headers: Mapping[str, str]
    event_id: str
    customer_id: str
    baskets: Iterator[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Rush:
    """What a rush came to: bookings per second until the last payment was over, and seconds from 202 to CONFIRMED."""

    per_second: float
    waits: Sequence[float]

    @property
    def median_ms(self) -> float:
        """Half of the callers saw their booking sold within so many milliseconds after the 202."""
        return statistics.median(self.waits) * 1000

    @property
    def p99_ms(self) -> float:
        """All but one of a hundred did."""
        return quantile(self.waits, 0.99) * 1000


class Line:
    """One caller's connection to the API."""

    def __init__(self, sale: Sale) -> None:
        where = urlsplit(sale.api_url)
        self._http = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        self._headers = {**sale.headers, "Content-Type": "application/json"}

    def post(self, path: str, body: Json, *, status: int) -> Any:
        """The JSON of the answer, which must have this status."""
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        try:
            answer = self._sent(path, body, headers)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # The API hangs up on a line that was silent for a while; the key makes asking again harmless.
            self._http.close()
            answer = self._sent(path, body, headers)
        said = answer.read()
        if answer.status != status:
            raise RuntimeError(f"POST {path}: {answer.status} {said[:300]!r}")
        return json.loads(said)

    def _sent(self, path: str, body: Json, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        self._http.request("POST", path, json.dumps(body), headers)
        return self._http.getresponse()


@dataclass
class Watch:
    """Looks at Postgres for all who wait for their booking to be sold."""

    database_url: str
    waiting: dict[UUID, threading.Event] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Until the rush is over."""
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            while not self.over.wait(LOOK_SECONDS):
                asked = list(self.waiting)
                if asked:
                    self._tell(conn, asked)

    def _tell(self, conn: psycopg.Connection[Any], asked: list[UUID]) -> None:
        sold = conn.execute("SELECT id FROM bookings WHERE id = ANY(%s) AND status = 'CONFIRMED'", (asked,))
        for (booking_id,) in sold.fetchall():
            self.waiting.pop(booking_id).set()


def rush(sale: Sale, *, callers: int, bookings: int) -> Rush:
    """So many callers buy so many baskets, one after the other; the clock stops when the last payment's process is over."""
    left, waits, watch = iter(range(bookings)), list[float](), Watch(sale.database_url)

    def buy() -> None:
        line = Line(sale)
        for _ in left:
            waits.append(_bought(sale, line, watch))

    looking = threading.Thread(target=watch.look)
    looking.start()
    began = time.perf_counter()
    try:
        with ThreadPoolExecutor(callers) as pool:
            for caller in [pool.submit(buy) for _ in range(callers)]:
                caller.result()
        _until(sale, "SELECT count(*) FROM operations WHERE kind = 'payment.process' AND ended_at IS NULL")
        seconds = time.perf_counter() - began
    finally:
        watch.over.set()
        looking.join()
    return Rush(per_second=bookings / seconds, waits=waits)


def quiet(sale: Sale) -> None:
    """Wait until everything that has to reach the engine has reached it."""
    _until(sale, "SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND kind <> 'MAIL'")


def _bought(sale: Sale, line: Line, watch: Watch) -> float:
    """One basket reserved, paid and seen sold; seconds from the 202 to the sale."""
    basket = {"customer_id": sale.customer_id, "event_id": sale.event_id, "seats": list(next(sale.baskets))}
    booking = line.post("/api/bookings", basket, status=201)
    sold = watch.waiting.setdefault(UUID(booking["id"]), threading.Event())
    payment = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": "tok_ok"}
    line.post("/api/payments/process", payment, status=202)
    began = time.perf_counter()
    if not sold.wait(PATIENCE):
        raise TimeoutError(f"booking {booking['id']} was never sold")
    return time.perf_counter() - began


def _until(sale: Sale, none_left: str) -> None:
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(sale.database_url, autocommit=True) as conn:
        while conn.execute(none_left).fetchone() != (0,):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never came to nothing: {none_left}")
            time.sleep(LOOK_SECONDS)
