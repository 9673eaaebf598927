"""Random requests of every operation: none is answered with a 5xx, an undocumented code or an undescribed shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.fuzzing import World, a_world, fault_of, search
from tests.api.test_openapi import OPERATIONS
from tests.ground import Clone

EXAMPLES = 15

# The library draws by itself from `random`; its seed is ours all the same.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")


@pytest.fixture(scope="module")
def world(clone: Clone) -> Iterator[World]:
    with a_world(clone) as made:
        yield made


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_request_is_too_much_for(world: World, name: str) -> None:
    found = search(world, name, examples=EXAMPLES, number=2026)

    assert not found, "\n".join(map(str, found))


def test_an_undocumented_answer_is_seen(world: World) -> None:
    case = world.operations()["GET /api/venues"].Case(query={"limit": "many"})
    answer = world.answer(case)
    documented = case.operation.definition.raw["x-problems"]

    documented.remove("invalid")

    assert answer.status_code == 422
    assert "not documented" in str(fault_of(case, answer))
    documented.append("invalid")
    assert fault_of(case, answer) is None
