"""The two lanes: a rush is served three at a time, and neither lane waits for the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Semaphore

import pytest
from starlette.testclient import TestClient

from api.app import build
from api.desk import Desk
from api.lanes import RUSH, THREADS
from api.routers import ROUTERS
from api.shapes import Shape
from db.transaction import Database, Tx
from settings import Settings
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, with_token

SECONDS = 30
LANES = {"/api/rushed": RUSH, "/api/other": THREADS - RUSH}


class Said(Shape):
    """What a test's call answers."""

    said: str = "done"


@dataclass
class Held:
    """Calls that have come in, and what they wait for."""

    came: Semaphore = field(default_factory=lambda: Semaphore(0))
    end: Event = field(default_factory=Event)

    def wait(self) -> Said:
        """Until the test is done with it."""
        self.came.release()
        self.end.wait(SECONDS)
        return Said()


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def waiting(clone: Clone, tenant: Agency, held: Held) -> Iterator[Caller]:
    desk = Desk(tag="waiting")

    @desk.creates("/rushed", needs="events:write", rush=True)
    def rushed(tx: Tx) -> Said:
        """Wait in the rush."""
        return held.wait()

    @desk.creates("/other", needs="events:write")
    def other(tx: Tx) -> Said:
        """Wait beside the rush."""
        return held.wait()

    app = build(Settings(build_id="test"), Database(clone.app_url, size=THREADS, name="waiting"))
    app.include_router(desk)
    with TestClient(app) as http:
        yield with_token(http, tenant.buyer.token)


@contextmanager
def full(caller: Caller, held: Held, path: str, *, more: int) -> Iterator[None]:
    """As many calls inside as the lane has threads, and some more at its door."""
    inside = LANES[path]
    with ThreadPoolExecutor(inside + more) as crowd:
        answers = [crowd.submit(caller.post, path) for _ in range(inside + more)]
        try:
            assert all(held.came.acquire(timeout=SECONDS) for _ in range(inside))
            yield
        finally:
            held.end.set()
        assert [answer.result().status_code for answer in answers] == [201] * (inside + more)


@pytest.mark.parametrize("path", LANES)
def test_a_lane_serves_as_many_at_once_as_it_has_threads(waiting: Caller, held: Held, path: str) -> None:
    with full(waiting, held, path, more=1):
        assert not held.came.acquire(timeout=0.3)


@pytest.mark.parametrize(("path", "beside"), [LANES, list(reversed(LANES))])
def test_whoever_asks_in_one_lane_does_not_wait_for_the_other(
    waiting: Caller, held: Held, path: str, beside: str
) -> None:
    with full(waiting, held, path, more=0), ThreadPoolExecutor(1) as one:
        answer = one.submit(waiting.post, beside)

        assert held.came.acquire(timeout=SECONDS)
        held.end.set()
        assert answer.result().status_code == 201


def test_reserving_and_paying_are_what_a_rush_asks_for() -> None:
    endpoints = [getattr(route, "endpoint", None) for router in ROUTERS for route in router.routes]
    specs = [getattr(endpoint, "spec", None) for endpoint in endpoints]

    assert {spec.call.__name__ for spec in specs if spec and spec.rush} == {"reserve_seats", "process_payment"}
