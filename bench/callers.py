"""Callers at the API, all in one process of its own that costs little: bytes made beforehand, sockets, no library."""

from __future__ import annotations

import json
import random
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.stock import Basket
from bench.tails import quantile
from settings import ROOT

PATH = "/api/bookings"
GATHER = 65536


@dataclass(frozen=True)
class Heard:
    """What the callers heard: answers by status, and each answer's end and seconds since it was due, in the order of the ends."""

    statuses: Counter[int]
    ends: Sequence[float]
    seconds: Sequence[float]

    @property
    def rate(self) -> float:
        """Answers per second from the first request to the last answer."""
        return len(self.ends) / self.ends[-1]

    def quantile(self, part: float) -> float:
        """Seconds within which that part of the answers came."""
        return quantile(self.seconds, part)

    def tenth(self, number: int) -> float:
        """Answers per second in the given tenth of the answers, from 0."""
        size = len(self.ends) // 10
        began = self.ends[number * size - 1] if number else 0.0
        return size / (self.ends[(number + 1) * size - 1] - began)

    def checked(self, *allowed: int) -> Heard:
        """Itself. Raises RuntimeError when there was an answer with another status."""
        if strange := {status: n for status, n in self.statuses.items() if status not in allowed}:
            raise RuntimeError(f"the API answered {strange}, not only {allowed}")
        return self


def call(url: str, baskets: Sequence[Basket], *, callers: int, rate: float | None = None) -> Heard:
    """Ask for each basket once. Closed loop: each caller asks again as soon as it is answered.

    With a `rate` (requests per second) open loop: requests are due at random moments of that rate, as pgbench's are,
    whoever is still waiting; seconds count from the moment they were due.
    """
    order = {
        "url": url.removeprefix("http://"),
        "asked": [(basket.sale.token, json.dumps(basket.body())) for basket in baskets],
        "callers": callers,
        "rate": rate,
    }
    command = (sys.executable, "-m", "bench.callers")
    done = subprocess.run(command, input=json.dumps(order), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the callers failed: {done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    return Heard(Counter({int(s): n for s, n in found["statuses"].items()}), found["ends"], found["seconds"])


@dataclass
class Line:
    """One caller's connection."""

    socket: socket.socket
    due: float = 0.0
    heard: bytearray = field(default_factory=bytearray)

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Take in what has come; the status once the answer is whole."""
        self.heard += self.socket.recv(GATHER)
        head = self.heard.find(b"\r\n\r\n")
        if head < 0:
            return None
        at = self.heard.lower().find(b"content-length:", 0, head) + 15
        length = int(self.heard[at : self.heard.find(b"\r", at)])
        if len(self.heard) < head + 4 + length:
            return None
        status = int(self.heard[9:12])
        self.heard.clear()
        return status


class Round:
    """One measurement: every request asked once, every answer timed."""

    def __init__(self, lines: Sequence[Line], requests: Sequence[bytes], *, rate: float | None) -> None:
        self.requests = requests
        self.statuses: Counter[int] = Counter()
        self.ends: list[float] = []
        self.seconds: list[float] = []
        # epoll counts in milliseconds, which is too coarse for moments.
        self.watch = selectors.SelectSelector() if rate else selectors.DefaultSelector()
        for line in lines:
            self.watch.register(line.socket, selectors.EVENT_READ, line)
        self.idle = deque(lines)
        self.began = time.perf_counter()

    @property
    def now(self) -> float:
        return time.perf_counter() - self.began

    def closed(self) -> None:
        """Everybody asks as soon as they are answered."""
        todo = iter(self.requests)
        while self.idle and (request := next(todo, None)):
            self.idle.popleft().ask(request, self.now)
        while len(self.ends) < len(self.requests):
            for line in self._answered(None):
                if request := next(todo, None):
                    line.ask(request, self.now)

    def open(self, rate: float) -> None:
        """Requests come when they come."""
        dice = random.Random(7)
        waiting = deque(zip(_moments(dice, rate, len(self.requests)), self.requests, strict=True))
        while len(self.ends) < len(self.requests):
            while waiting and self.idle and waiting[0][0] <= self.now:
                due, request = waiting.popleft()
                self.idle.popleft().ask(request, due)
            patience = max(waiting[0][0] - self.now, 0) if waiting and self.idle else None
            self.idle.extend(self._answered(patience))

    def _answered(self, patience: float | None) -> Iterator[Line]:
        for key, _ in self.watch.select(patience):
            line: Line = key.data
            status = line.status()
            if status is not None:
                end = self.now
                self.statuses[status] += 1
                self.ends.append(end)
                self.seconds.append(end - line.due)
                yield line


def _moments(dice: random.Random, rate: float, count: int) -> Iterator[float]:
    at = 0.0
    for _ in range(count):
        at += dice.expovariate(rate)
        yield at


def _request(host: str, token: str, body: str) -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def _connected(host: str) -> Line:
    name, _, port = host.partition(":")
    line = socket.create_connection((name, int(port)))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Line(line)


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Carry one order out."""
    host = order["url"]
    rate = order["rate"]
    requests = [_request(host, token, body) for token, body in order["asked"]]
    this = Round([_connected(host) for _ in range(order["callers"])], requests, rate=rate)
    if rate:
        this.open(rate)
    else:
        this.closed()
    return {"statuses": this.statuses, "ends": this.ends, "seconds": this.seconds}


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
