"""The page holds what was found, short of the mark included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prove import page
from prove.kills import durability
from prove.kills.cells import Cell, cells
from prove.kills.record import Record, recovery_lines, too_slow
from prove.kills.steps import steps
from prove.kills.visit import Outcome


def cell(name: str) -> Cell:
    return next(one for one in cells() if one.name == name)


CAPTURE = cell("Booking/payments.capture/effect/worker")
LAPSE = cell("PurchaseOrder/purchasing.lapse/before/node")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A run that visited two cells, one in vain."""
    kept = tmp_path / "seeds.json"
    kept.write_text("[]")
    made = Record(tmp_path / "kills.json", seeds=kept)
    made.begin(seed=7, engine="dev")
    made.note(
        [
            Outcome(cell=CAPTURE, process_id="booking/1", seconds=9.87),
            Outcome(cell=LAPSE, process_id="purchase-order/1", fault="S6: it still runs"),
        ],
        seed=7,
    )
    made.note_recoveries("worker", [9.87, 31.0, 10.2])
    made.note_recoveries("provider", [1.0])
    return made


def written(record: Record) -> str:
    record.save()
    return page.page(races=record.file.with_name("none.json"), kills=record.file)


def test_cells_are_counted_by_point_and_victim(record: Record) -> None:
    words = written(record)

    known = len(steps())
    assert f"| after its effect, before the commit | 1/1/{known} | 0/0/{known} |" in words
    assert f"2 of {len(cells())} cells visited, 1 passed" in words


def test_a_cell_that_failed_is_on_the_page_with_its_reason(record: Record) -> None:
    assert "- `PurchaseOrder/purchasing.lapse/before/node`: S6: it still runs" in written(record)


def test_a_recovery_that_took_too_long_is_called_so(record: Record) -> None:
    words = written(record)

    assert (
        "| worker | kill to the end of the process that was struck | 3 | 10.2 s | 31.0 s | 20 s | **longer** |" in words
    )
    assert "| provider | kill to its first good answer | 1 | 1.0 s | 1.0 s |  |  |" in words


def test_a_run_goes_on_where_the_last_one_stopped(record: Record) -> None:
    record.save()

    again = Record.kept(record.file)

    assert CAPTURE not in again.left()
    assert LAPSE in again.left()
    assert len(again.left()) == len(cells()) - 1
    assert len(Record.kept(record.file, fresh=True).left()) == len(cells())


def test_a_cell_that_failed_is_kept_for_the_suite_and_a_cell_that_nobody_came_to_is_not(record: Record) -> None:
    record.note([Outcome(cell=CAPTURE, fault="could not be prepared")], seed=7)

    assert record.seeds is not None
    assert json.loads(record.seeds.read_text()) == [LAPSE.name]


def test_trade_adds_up_over_runs(record: Record) -> None:
    for acts in (5, 7):
        record.note_trade(runs=1, acts=acts, acknowledged=acts, lost=0, violated=0)

    assert "In 2 runs 12 acts of trade went on meanwhile" in written(record)


@pytest.mark.parametrize(
    ("lost_on", "lost_off", "holds"), [(0, 22, True), (0, 0, False), (1, 22, False)], ids=["seen", "blind", "lossy"]
)
def test_the_control_holds_only_if_loss_is_seen_where_it_is(lost_on: int, lost_off: int, holds: bool) -> None:  # noqa: FBT001 -- a case
    lines: list[dict[str, Any]] = [
        {"synchronous_commit": "on", "lost": lost_on},
        {"synchronous_commit": "off", "lost": lost_off},
    ]

    assert durability.seen(lines) is holds


def test_nothing_is_said_of_a_victim_that_never_died() -> None:
    assert recovery_lines({"recoveries": {"worker": []}}) == []


def test_a_victim_that_was_once_too_long_away_is_a_fault_and_one_without_a_limit_never() -> None:
    away = {"recoveries": {"api": [1.0, 5.1], "worker": [20.0], "provider": [500.0]}}

    assert too_slow(away) == ["recovery: api once took 5.1 s of 5"]
