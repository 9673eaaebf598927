"""Whatever a step is given, a worker that was killed over it is missed within ten seconds."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from workflows import options
from workflows.registry import PROCESSES

MISSED_WITHIN = timedelta(seconds=10)
LISTED = {name: value for name, value in vars(options).items() if isinstance(value, dict) and name.isupper()}
BEATING = {name for name, value in LISTED.items() if "heartbeat_timeout" in value}


def steps_under(names: set[str]) -> Iterator[Any]:
    """The steps that are taken under one of these options."""
    for process in PROCESSES:
        module = sys.modules[process.__module__]
        for call in [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]:
            spread = [ast.unparse(word.value).rpartition(".")[2] for word in call.keywords if word.arg is None]
            if names & set(spread):
                street, _, step = ast.unparse(call.args[0]).partition(".")
                yield getattr(vars(module)[street], step)


@pytest.mark.parametrize("name", LISTED)
def test_a_killed_worker_is_missed_within_ten_seconds(name: str) -> None:
    allowed = [LISTED[name].get(word) for word in ("start_to_close_timeout", "heartbeat_timeout")]

    assert min(one for one in allowed if one is not None) <= MISSED_WITHIN


def test_every_step_that_is_listened_to_shows_signs_of_life() -> None:
    listened_to = list(steps_under(BEATING))

    assert len(listened_to) >= 5
    assert all(hasattr(step, "__wrapped__") for step in listened_to)
