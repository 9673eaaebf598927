"""A worker killed in the middle of a payment and of a refund: another one ends each once, and nothing is left half."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import ROOT
from tests import engine, ground
from tests.makers.access import password_hash
from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.house import House, a_house, eventually

RECOVERS_IN = 40.0
"""Seconds a test allows; a killed worker's step is missed after eight."""


class WorkerProcess:
    """The worker as the supervisor starts it."""

    def __init__(self, house: House, address: str, namespace: str) -> None:
        self._environment = {
            **os.environ,
            "ALLOTMENT_HOME": str(house.folder),
            "ALLOTMENT_APP_DATABASE_URL": house.clone.app_url,
            "ALLOTMENT_PROVIDER_URL": house.provider.url,
            "ALLOTMENT_BUILD_ID": "house",
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": namespace,
        }
        self._log = house.folder / "worker.log"
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli", "worker", "--name", "worker-1", "--queue", "core"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL, and gone."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        self.process = self._started()

    @property
    def log(self) -> str:
        return Path(self._log).read_text()


@pytest.fixture
def house(worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose worker is a process of its own."""
    password_hash()
    with ground.clone(f"{worker_name}_kill") as clone, a_house(tmp_path_factory.mktemp("house"), clone) as made:
        yield made


@pytest.fixture
def worker(house: House, worker_name: str) -> Iterator[WorkerProcess]:
    address, namespace = engine.address(), engine.namespace(f"{worker_name}-kill")
    process = WorkerProcess(house, address, namespace)
    house.deliver(address, namespace)
    house.give_work(address, namespace)
    yield process
    house.end()
    process.kill()


@pytest.fixture
def office(house: House, worker: WorkerProcess) -> BoxOffice:
    made = a_box_office(house)
    made.paid(10)
    return made


def test_a_payment_outlives_its_worker(office: BoxOffice, worker: WorkerProcess) -> None:
    booking = office.reserved(1)
    answer = office.pay(booking, token="tok_slow_3000")
    eventually(lambda: bool(office.charges(booking)))

    worker.kill()
    worker.start_again()

    began = time.monotonic()
    assert office.outcome(answer, seconds=RECOVERS_IN) == ("succeeded", None)
    print(f"a payment whose worker was killed ended {time.monotonic() - began:.1f} s later")  # noqa: T201 -- published
    assert len(office.charges(booking)) == 1
    assert office.differences() == []


def test_a_refund_outlives_its_worker(office: BoxOffice, worker: WorkerProcess) -> None:
    booking = office.paid(1, 2, token="tok_refund_unknown_then_ok")
    answer = office.caller.delete(f"/api/bookings/{booking['id']}")
    eventually(lambda: office.charges(booking)[0].refunded.is_positive)

    worker.kill()
    worker.start_again()

    began = time.monotonic()
    assert office.outcome(answer, seconds=RECOVERS_IN) == ("succeeded", None)
    print(f"a refund whose worker was killed ended {time.monotonic() - began:.1f} s later")  # noqa: T201 -- published
    assert office.stands(booking)[0] == "REFUNDED"
    assert [row["status"] for row in office.caller.read(f"/api/bookings/{booking['id']}/refunds")["data"]] == [
        "SETTLED"
    ]
    assert office.differences() == []
