"""What was acknowledged is looked for, and a death is a death."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest

from db.ids import new_id
from db.transaction import Database
from prove.kills import victims
from prove.kills.callers import Acknowledged
from prove.kills.victims import StillAlive
from stand.plan import Plan
from stand.running import Stand
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller


def answered(status: int, thing: str) -> httpx2.Response:
    return httpx2.Response(status, json={"id": thing})


def test_what_was_promised_and_is_there_is_not_lost(
    tmp_path: Path, clone: Clone, tenant: Agency, owner: Caller
) -> None:
    made = owner.made("/api/customers", {"name": "Erika Muster", "email": "erika@example.org"})
    log = Acknowledged(tmp_path / "log.jsonl")

    log.note("/api/customers", answered(201, made["id"]))

    assert log.lost(clone.owner_url) == (1, [])


def test_what_was_promised_and_is_not_there_is_lost(tmp_path: Path, clone: Clone, database: Database) -> None:
    log = Acknowledged(tmp_path / "log.jsonl")
    booking, operation = str(new_id()), str(new_id())

    log.note("/api/bookings", answered(201, booking))
    log.note("/api/payments/process", answered(202, operation))

    promised, lost = log.lost(clone.owner_url)
    assert promised == 2
    assert set(lost) == {f"bookings {booking}", f"operations {operation}"}


def test_a_refusal_promises_nothing(tmp_path: Path) -> None:
    log = Acknowledged(tmp_path / "log.jsonl")

    log.note("/api/bookings", answered(409, str(new_id())))

    assert log.promised() == {}


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """A home without a house, in which a test writes down who is who."""
    made = Stand(tmp_path, Plan())
    made.home.make()
    return made


def test_a_victim_dies_with_everything_below_it(stand: Stand) -> None:
    parent = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", parent])
    while not (children := psutil.Process(process.pid).children()):
        continue
    stand.home.pid_file("postgres").write_text(str(process.pid))

    death = victims.kill(stand, ["postgres"])

    process.wait(5)
    assert death.processes == 2
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_victim_that_is_not_there_is_no_death(stand: Stand) -> None:
    with pytest.raises(StillAlive, match="nobody there"):
        victims.kill(stand, ["temporal"])
