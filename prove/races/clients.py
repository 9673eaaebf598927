"""Clients in a process of their own: each keeps one connection alive, and all of them send when the barrier falls."""

from __future__ import annotations

import json
import selectors
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.connection import Connection
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket
from threading import Barrier
from typing import Any

Door = tuple[str, int]

PATIENCE = 120.0
"""Seconds after which a volley's missing answers count as never given."""
IDLE = 15.0
"""Seconds after which a connection is opened anew: the server drops one that was silent for thirty."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request; it is not sent before `at` (seconds since the epoch, 0 for at once)."""

    method: str
    path: str
    token: str = ""
    body: Any = None
    form: str = ""
    key: str = ""
    at: float = 0.0

    @property
    def wire(self) -> bytes:
        """As HTTP/1.1 sends it."""
        content, kind = self.form.encode(), "application/x-www-form-urlencoded"
        if self.body is not None:
            content, kind = json.dumps(self.body).encode(), "application/json"
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
        lines += [f"Content-Type: {kind}"] if content else []
        lines += [f"Authorization: Bearer {self.token}"] if self.token else []
        lines += [f"Idempotency-Key: {self.key}"] if self.key else []
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds; status 0 when nothing did."""

    status: int
    content: bytes
    seconds: float
    replayed: bool = False

    @cached_property
    def json(self) -> Any:
        """The body; an empty object when there is none."""
        return json.loads(self.content) if self.content else {}

    @property
    def code(self) -> str:
        """The problem's code, empty for a yes."""
        return str(self.json.get("code", "")) if self.status >= 400 else ""

    @property
    def said(self) -> str:
        """Status and code, as they are counted."""
        return f"{self.status} {self.code}".strip()


@dataclass
class Line:
    """One client's connection, and what it still has to send."""

    door: Door
    waiting: deque[tuple[int, bytes, float]] = field(default_factory=deque)
    number: int | None = None
    began: float = 0.0
    got: bytes = b""
    used: float = 0.0
    wire: socket | None = None

    def ready(self) -> socket:
        """The connection, opened anew when it was silent for long."""
        if self.wire is None or time.monotonic() - self.used > IDLE:
            self.hang_up()
            self.wire = create_connection(self.door, timeout=10)
            self.wire.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            self.used = time.monotonic()
        return self.wire

    def hang_up(self) -> None:
        """Close it."""
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def send_due(self, now: float) -> float | None:
        """Send the next request if its moment has come; else when it will, None when there is nothing to wait for."""
        if self.number is not None or not self.waiting:
            return None
        number, wire, at = self.waiting[0]
        if at > now:
            return at
        self.waiting.popleft()
        self.number, self.got, self.began = number, b"", time.perf_counter()
        try:
            self.ready().sendall(wire)
        except OSError:
            self.hang_up()
        return None

    def read(self) -> Answer | None:
        """The answer once it is whole."""
        assert self.wire is not None
        try:
            more = self.wire.recv(65536)
        except OSError:
            more = b""
        self.got += more
        self.used = time.monotonic()
        return answered(self.got, time.perf_counter() - self.began) if more else self.unanswered()

    @property
    def is_busy(self) -> bool:
        """Whether it has something to send or to hear."""
        return bool(self.waiting) or self.number is not None

    def forget(self) -> None:
        """What was not answered in time never will be."""
        if self.is_busy:
            self.waiting.clear()
            self.number = None
            self.hang_up()

    def unanswered(self) -> Answer:
        """Nothing came, or not all of it."""
        self.hang_up()
        return Answer(0, b"", time.perf_counter() - self.began)


def answered(got: bytes, seconds: float) -> Answer | None:
    """An answer of HTTP/1.1 with its length told; None while it is not whole."""
    head, end, content = got.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if len(content) < int(headers.get(b"content-length", b"0")):
        return None
    return Answer(int(first.split()[1]), content, seconds, b"idempotent-replayed" in headers)


def play(lines: Sequence[Line], barrier: Barrier) -> dict[int, Answer]:
    """Everybody sends when all processes are ready, each client its requests one after the other; the answers by number."""
    found: dict[int, Answer] = {}
    with selectors.DefaultSelector() as selector:
        barrier.wait(PATIENCE)
        last = max((at for line in lines for _, _, at in line.waiting), default=0.0)
        give_up = max(last, time.time()) + PATIENCE
        while (busy := [line for line in lines if line.is_busy]) and time.time() < give_up:
            next_at = _send(busy, selector, found)
            pause = 1.0 if next_at is None else max(min(next_at - time.time(), 1.0), 0.0)
            for key, _ in selector.select(pause):
                _take(key.data, selector, found)
    for line in lines:
        line.forget()
    return found


def _send(busy: Sequence[Line], selector: selectors.BaseSelector, found: dict[int, Answer]) -> float | None:
    """What is due; when the next request will be."""
    moments = []
    for line in busy:
        at = line.send_due(time.time())
        moments += [] if at is None else [at]
        if line.number is not None and line.wire is None:
            found[line.number], line.number = line.unanswered(), None
        elif line.wire is not None and line.number is not None and line.wire not in _sockets(selector):
            selector.register(line.wire, selectors.EVENT_READ, line)
    return min(moments, default=None)


def _sockets(selector: selectors.BaseSelector) -> Mapping[Any, Any]:
    return selector.get_map() or {}


def _take(line: Line, selector: selectors.BaseSelector, found: dict[int, Answer]) -> None:
    assert line.wire is not None
    connection = line.wire
    answer = line.read()
    if answer is None:
        return
    if line.number is not None:
        found[line.number], line.number = answer, None
    if answer.status == 0:  # It was hung up.
        selector.unregister(connection)


def serve(doors: Sequence[Door], orders: Connection, barrier: Barrier) -> None:
    """A process's whole life: volleys come as lists of (number, client, bytes, moment), answers go back by number."""
    lines = [Line(door) for door in doors]
    try:
        while (volley := orders.recv()) is not None:
            for number, client, wire, at in volley:
                lines[client].waiting.append((number, wire, at))
            for line in lines:
                if line.waiting:
                    line.ready()
            orders.send(play(lines, barrier))
    finally:
        for line in lines:
            line.hang_up()
