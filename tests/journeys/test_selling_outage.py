"""Selling while the engine is down: baskets are reserved, time runs out for them, and the processes catch up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateways import temporal
from tests import ground
from tests.engine import OwnServer
from tests.makers.access import password_hash
from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.house import House, a_house, eventually

BASKETS = 50


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    own = OwnServer(tmp_path_factory.mktemp("engine"))
    own.start()
    yield own
    own.kill()


@pytest.fixture
def house(server: OwnServer, worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose engine can be killed."""
    password_hash()
    folder = tmp_path_factory.mktemp("house")
    with ground.clone(f"{worker_name}_outage") as clone, a_house(folder, clone) as made:
        made.begin(server.address, "default")
        yield made


@pytest.fixture
def office(house: House) -> BoxOffice:
    return a_box_office(house, seats=2 * BASKETS)


def undelivered(office: BoxOffice) -> int:
    with office.shop.tx() as tx:
        number: int = tx.value("SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND kind <> 'MAIL'")
        return number


def running(server: OwnServer) -> int:
    async def count() -> int:
        client = await temporal.connect(server.address, namespace="default")
        return (await client.count_workflows("WorkflowType = 'Booking' AND ExecutionStatus = 'Running'")).count

    return asyncio.run(count())


def test_fifty_baskets_while_the_engine_is_down(office: BoxOffice, server: OwnServer) -> None:
    before = office.paid(2 * BASKETS)
    office.window(4)
    server.kill()

    with ThreadPoolExecutor(10) as pool:
        baskets: list[Any] = list(pool.map(office.reserved, range(1, BASKETS + 1)))
        payments = list(pool.map(office.pay, baskets[::5]))
    reserved_at = time.monotonic()

    assert {answer.json()["status"] for answer in payments} == {"queued"}
    abandoned = [basket for number, basket in enumerate(baskets) if number % 5]
    eventually(lambda: {office.stands(basket)[:2] for basket in abandoned} == {("CANCELLED", "EXPIRED")}, seconds=15)
    assert time.monotonic() - reserved_at < 4 + 5
    assert office.ask(2).status_code == 201
    assert office.ask(1).status_code == 409

    server.start()

    assert [office.outcome(answer, seconds=60) for answer in payments] == [("succeeded", None)] * len(payments)
    assert {office.stands(basket) for basket in baskets[::5]} == {("CONFIRMED", None, "COMPLETED")}
    eventually(lambda: undelivered(office) == 0, seconds=40)
    eventually(lambda: running(server) <= 1, seconds=40)
    assert office.outcome(office.caller.delete(f"/api/bookings/{before['id']}")) == ("succeeded", None)
    assert office.differences() == []


def test_a_payment_goes_on_when_the_worker_comes_back(office: BoxOffice, server: OwnServer) -> None:
    booking = office.reserved(1)
    office.house.end()
    office.house.deliver(server.address, "default")
    answer = office.pay(booking)
    time.sleep(1)
    assert office.operation(answer)["status"] == "queued"

    office.house.work(server.address, "default")

    assert office.outcome(answer, seconds=60) == ("succeeded", None)
    assert office.differences() == []
