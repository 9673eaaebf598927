"""Every race in small on one house with two APIs, and one without a guard: `python -m prove.races` is the same in full."""

from __future__ import annotations

import pytest

from prove.races import controls, ground
from prove.races.programme import RACES
from prove.races.race import ran
from stand.running import a_stand
from tests import engine

CLIENTS, PROCESSES = 40, 2
ROUNDS = {"c1": 10, "c2": 2, "c4": 25, "c6": 1, "c7": 1, "key": 2, "refresh": 2}
WITHOUT_KEY = next(control for control in controls.AT_THE_DOOR if control.missing == "key")


@pytest.mark.timeout(900)
def test_every_race_has_exactly_the_winners_it_must_have_and_is_lost_without_its_guard() -> None:
    """One test, so that one worker has one house."""
    with a_stand(controls.doors_without(["key"], engine=engine.chosen(), each=1)) as stand:
        with ground.on(stand, clients=CLIENTS, seed=7, processes=PROCESSES, doors=slice(2)) as before:
            lines = [ran(race, before, ROUNDS[race.name], oracle=False) for race in RACES]
            rows = before.verify()
        with ground.on(stand, clients=CLIENTS, seed=7, processes=PROCESSES, doors=slice(2, 3)) as unguarded:
            control = controls.judged(WITHOUT_KEY, ran(WITHOUT_KEY.race, unguarded, 1, oracle=False))

    assert {line["name"]: line["faults"] for line in lines} == {name: [] for name in ROUNDS}
    assert rows == []
    assert control["caught"], control["how"]
