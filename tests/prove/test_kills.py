"""The kills: the list of cells is whole, a share of them is visited here, and a cell that once failed is visited again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prove.kills.cells import EDGES, FAULTS, POINTS, VICTIMS, Cell, batches, cells, edges
from prove.kills.record import Record, remember, remembered
from prove.kills.run import Wish, a_run
from prove.kills.scenes import SCENES
from prove.kills.steps import HISTORIES, process_name, registered, steps
from tests import engine
from workflows.registry import PROCESSES

SMOKE, MOST, BATCH, BOUND = 40, 80, 10, 9.0
SOON = 6.0
"""Seconds within which a scene's process is at its point, for a smoke that shall not take long."""
STRUCK_HERE = ("worker", "api")


def without_cells(activities: set[str]) -> set[str]:
    """Registered activities that no process is known to take."""
    return activities - {cell.step.activity for cell in cells()}


def without_scene(known: dict[str, object]) -> set[str]:
    """Steps that nobody knows how to reach."""
    return {str(step) for step in steps()} - set(known)


def test_every_registered_activity_has_its_cells() -> None:
    assert without_cells(registered()) == set()


def test_an_activity_without_its_cells_is_seen() -> None:
    assert without_cells({*registered(), "payments.dispute"}) == {"payments.dispute"}


def test_no_cell_names_an_activity_that_no_worker_offers() -> None:
    assert {cell.step.activity for cell in cells()} == registered()


def test_every_process_has_cells() -> None:
    assert {cell.step.process for cell in cells()} == {process_name(process) for process in PROCESSES}


def test_every_step_has_a_scene_that_reaches_it() -> None:
    assert without_scene(dict(SCENES)) == set()


def test_a_step_without_a_scene_is_seen() -> None:
    assert without_scene({name: scene for name, scene in SCENES.items() if "capture" not in name})


def test_a_step_that_the_code_calls_by_a_made_up_name_is_found_in_the_histories(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everywhere = set(steps())

    monkeypatch.setattr("prove.kills.steps.HISTORIES", tmp_path)

    assert HISTORIES.exists()
    by_name_only = {step.activity for step in everywhere - set(steps())}
    assert "payments.authorise" in by_name_only
    assert all(name.startswith("payments.") for name in by_name_only)


def test_every_step_is_struck_at_every_point_by_every_victim() -> None:
    listed = cells()

    assert len(listed) == len(steps()) * len(POINTS) * len(VICTIMS)
    assert len({cell.name for cell in listed}) == len(listed)
    assert len(edges()) == len(EDGES) * len(FAULTS) == 28


def test_names_of_cells_stay_what_they_are() -> None:
    names = [cell.name for cell in cells()]

    assert "Booking/payments.capture/effect/worker" in names
    assert "PurchaseOrder/purchasing.lapse/next/node" in names
    assert "edge/worker-temporal/mute" in [edge.name for edge in edges()]


def test_a_seed_means_one_order_and_a_batch_one_victim() -> None:
    listed = batches(cells(), size=BATCH, seed=7)

    assert listed == batches(cells(), size=BATCH, seed=7)
    assert listed != batches(cells(), size=BATCH, seed=8)
    assert sorted(cell for batch in listed for cell in batch) == sorted(cells())
    assert all(len({cell.victim for cell in batch}) == 1 for batch in listed)
    assert all(len({(cell.step, cell.point) for cell in batch}) == len(batch) for batch in listed)


def test_a_run_that_ends_early_has_met_every_victim_and_most_processes() -> None:
    begun = [cell for batch in batches(cells(), size=BATCH, seed=3)[:6] for cell in batch]

    assert {cell.victim for cell in begun} == set(VICTIMS)
    assert len({cell.step.process for cell in begun}) >= len(PROCESSES) - 1


def test_a_cell_that_failed_is_remembered_once(tmp_path: Path) -> None:
    kept = tmp_path / "seeds.json"
    kept.write_text("[]")

    for name in ("b", "a", "b"):
        remember(name, kept)

    assert remembered(kept) == ["a", "b"]


def test_what_once_failed_is_still_a_cell_or_an_edge() -> None:
    known = {*(cell.name for cell in cells()), *(edge.name for edge in edges())}

    assert set(remembered()) <= known


def smoke() -> tuple[list[Cell], list[Cell]]:
    """What once failed; and cells of the two victims, more than are wanted, for a process may come at a bad moment."""
    names = set(remembered())
    soon = [c for c in cells() if c.victim in STRUCK_HERE and SCENES[str(c.step)].lead < SOON and c.name not in names]
    some = [cell for batch in batches(soon, size=BATCH, seed=1)[: MOST // BATCH] for cell in batch]
    return [cell for cell in cells() if cell.name in names], some


@pytest.mark.timeout(900)
def test_forty_cells_are_struck_and_nothing_is_lost(tmp_path: Path) -> None:
    record = Record(tmp_path / "kills.json", seeds=None)
    again, some = smoke()
    wish = Wish(
        seed=1, engine=engine.chosen(), minutes=BOUND, batch=BATCH, with_edges=False, rate=0, enough=SMOKE + len(again)
    )

    with a_run(wish, record) as run:
        run.visit_all(again, [])
        run.visit_all(some, [])

    assert run.faults == []
    visited = json.loads((tmp_path / "kills.json").read_text())["cells"]
    assert sum(one["passed"] for one in visited.values()) >= SMOKE
    assert all(visited[cell.name]["passed"] for cell in again)
