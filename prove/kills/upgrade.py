"""An upgrade under way: processes begun on one build are finished by the next; and every recorded history is replayed."""

from __future__ import annotations

import asyncio
import io
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from demo.caller import Json
from domain.states import Refused
from prove.kills.desk import Desk
from prove.kills.house import House, a_house
from prove.kills.judging import judge
from prove.kills.steps import HISTORIES
from settings import ROOT
from stand.plan import Plan
from stand.running import Stand
from workflows.registry import PROCESSES

OPEN = 200
DESKS = 4
FINISHED_WITHIN = 300.0
# What a release is made of; a commit that changed none of it is the same release.
CODE = ("activities", "db", "domain", "gateways", "workflows", "worker.py")


def replayed() -> dict[str, int]:
    """How many recorded histories there are, and how many of them today's processes cannot follow."""
    return asyncio.run(_replayed())


async def _replayed() -> dict[str, int]:
    replayer = Replayer(
        workflows=PROCESSES, data_converter=pydantic_data_converter, workflow_failure_exception_types=[Refused]
    )
    files = sorted(HISTORIES.glob("*/*.json"))
    failed = 0
    for file in files:
        history = WorkflowHistory.from_json(file.stem, file.read_text())
        found = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failed += found.replay_failure is not None
    return {"histories": len(files), "failed": failed}


def upgraded(*, engine: str) -> dict[str, Any]:
    """Begin on the previous build, go over to this one, and finish everything."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="allotment-upgrade-"))
        before, words = _previous(stack)
        workers = ("worker-1", "worker-2", "worker-documents")
        new = Plan(engine=engine, workers=2, build_id="build-b")
        old = replace(new, build_id="build-a", checkouts=dict.fromkeys(workers, str(before)) if before else {})
        stand = Stand(home, old)
        stack.callback(stand.end)
        with a_house(stand, desks=DESKS, log=home / "acknowledged.jsonl") as house:
            begun = _begin(house.desks)
            stand.down()
            house.stand = stack.enter_context(_on(Stand(home, new)))
            return _finish(house, begun) | {"previous": words}


@contextmanager
def _on(stand: Stand) -> Iterator[Stand]:
    try:
        yield stand.up()
    finally:
        stand.down()


def _finish(house: House, begun: Sequence[Begun]) -> dict[str, Any]:
    """Bring every process to its end on the new build."""
    began = time.monotonic()
    with ThreadPoolExecutor(DESKS) as pool:
        list(pool.map(lambda one: one[1](), begun))
    left = {process_id for process_id, _ in begun}
    while left and time.monotonic() - began < FINISHED_WITHIN:
        left = {one for one in left if not house.engine.has_ended(one)}
        time.sleep(0.5)
    faults = judge(house).faults
    return {
        "begun": len(begun),
        "finished": len(begun) - len(left),
        "seconds": round(time.monotonic() - began, 1),
        "faults": list(faults[:5]),
    }


Begun = tuple[str, Callable[[], object]]
"""A process's id, and what ends it."""


def _begin(desks: Sequence[Desk]) -> list[Begun]:
    """Half of them bookings, of which half have been paid for in vain; half orders, of which half are confirmed."""
    with ThreadPoolExecutor(len(desks)) as pool:
        share = OPEN // len(desks)
        return [one for listed in pool.map(lambda desk: _begin_at(desk, share), desks) for one in listed]


def _begin_at(desk: Desk, count: int) -> list[Begun]:
    quarter = count // 4
    fresh = [desk.reserve() for _ in range(quarter)]
    tried = [desk.reserve() for _ in range(count // 2 - quarter)]
    for operation in [desk.begin_payment(booking, "tok_declined") for booking in tried]:
        desk.ended(operation, how="card_declined")
    pending = [desk.order(verbs=("submit",)) for _ in range(quarter)]
    confirmed = [desk.order(verbs=("submit", "confirm")) for _ in range(count - count // 2 - quarter)]
    return [
        *((f"booking/{one['id']}", _paying(desk, one)) for one in (*fresh, *tried)),
        *((f"purchase-order/{one['id']}", _cancelling(desk, one)) for one in (*pending, *confirmed)),
    ]


def _paying(desk: Desk, booking: Json) -> Callable[[], object]:
    return lambda: desk.ended(desk.begin_payment(booking, "tok_ok"))


def _cancelling(desk: Desk, order: Json) -> Callable[[], object]:
    return lambda: desk.ended(desk.begin_on(order, "cancel", {"reason": "the season is over"}))


def _previous(stack: ExitStack) -> tuple[Path | None, str]:
    """The code of the release before this one, in a folder of its own; None where git does not know one."""
    with suppress(OSError, subprocess.CalledProcessError):
        commits = _git("log", "--format=%H", "--first-parent", "-n", "2", "--", *CODE).decode().split()
        if len(commits) == 2:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="allotment-before-")))
            with tarfile.open(fileobj=io.BytesIO(_git("archive", commits[1]))) as archive:
                archive.extractall(folder, filter="data")
            return folder, f"the code of commit {commits[1][:12]}"
    return None, "the same code under another build id"


def _git(*words: str) -> bytes:
    return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, check=True).stdout
