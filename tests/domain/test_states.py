"""The machine, the refusal, and every table of the house walked from end to end."""

import ast
import pickle
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.states
from domain.booking import BOOKING, BOOKING_PAYMENT, PAYMENT, TICKET
from domain.payables import BILL
from domain.purchasing import ORDER
from domain.refunds import REFUND
from domain.seating import EVENT, OWNERSHIP, SEAT
from domain.states import Fault, Machine, Refused


class Lamp(StrEnum):
    OFF = "OFF"
    ON = "ON"
    BROKEN = "BROKEN"


LAMP = Machine[Lamp](
    "lamp",
    {Lamp.OFF: {"switch": Lamp.ON}, Lamp.ON: {"switch": Lamp.OFF, "drop": (Lamp.ON, Lamp.BROKEN)}, Lamp.BROKEN: {}},
    codes={"drop": "too_dark"},
)
MACHINES: list[Machine[Any]] = [BILL, BOOKING, BOOKING_PAYMENT, EVENT, ORDER, OWNERSHIP, PAYMENT, REFUND, SEAT, TICKET]


def test_a_verb_leads_to_the_next_state() -> None:
    assert LAMP.after(Lamp.OFF, "switch") == Lamp.ON


def test_a_missing_arrow_is_refused_with_what_would_be_allowed() -> None:
    with pytest.raises(Refused) as caught:
        LAMP.after(Lamp.BROKEN, "switch")

    assert caught.value.code == "wrong_state"
    assert caught.value.facts == {"state": "BROKEN", "allowed": []}
    assert "BROKEN" in caught.value.words


def test_a_verb_may_have_a_refusal_of_its_own() -> None:
    with pytest.raises(Refused, match="too_dark"):
        LAMP.after(Lamp.OFF, "drop")


def test_an_arrow_with_several_ends_asks_which() -> None:
    assert LAMP.after(Lamp.ON, "drop", to=Lamp.BROKEN) == Lamp.BROKEN
    with pytest.raises(ValueError, match="ends in one of ON, BROKEN, not in None"):
        LAMP.after(Lamp.ON, "drop")
    with pytest.raises(ValueError, match="not in OFF"):
        LAMP.after(Lamp.ON, "drop", to=Lamp.OFF)
    with pytest.raises(ValueError, match="not in OFF"):
        LAMP.after(Lamp.OFF, "switch", to=Lamp.OFF)


def test_a_table_must_have_a_line_for_every_state_it_leads_to() -> None:
    with pytest.raises(ValueError, match="without a line"):
        Machine[Lamp]("lamp", {Lamp.OFF: {"switch": Lamp.ON}})


def test_the_check_and_the_diagram_come_from_the_table() -> None:
    assert LAMP.check_sql("status") == "status IN ('OFF', 'ON', 'BROKEN')"
    assert LAMP.diagram().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> OFF",
        "    OFF --> ON: switch",
        "    ON --> OFF: switch",
        "    ON --> ON: drop",
        "    ON --> BROKEN: drop",
    ]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
@given(data=st.data())
def test_a_walk_agrees_with_guard_check_and_diagram(machine: Machine[Any], data: st.DataObject) -> None:
    state = machine.states[0]
    for _ in range(8):
        assert repr(str(state)) in machine.check_sql("status")
        verbs = machine.verbs(state)
        if not verbs:
            break
        verb = data.draw(st.sampled_from(verbs))
        ends = [end for end in machine.states if f"    {state} --> {end}: {verb}" in machine.diagram().splitlines()]
        chosen = data.draw(st.sampled_from(ends))
        assert machine.allows(state, verb)
        assert machine.after(state, verb, to=chosen) == chosen
        state = chosen


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_other_verb_is_refused_in_every_state(machine: Machine[Any]) -> None:
    every = {verb for state in machine.states for verb in machine.verbs(state)} | {"dance"}

    for state in machine.states:
        for verb in every - set(machine.verbs(state)):
            assert not machine.allows(state, verb)
            with pytest.raises(Refused):
                machine.after(state, verb)


def test_a_refusal_with_a_pointer_has_one_fault() -> None:
    refused = Refused("too_late", "It has begun.", pointer="/at", facts={"since": "18:00"})

    assert refused.errors == (Fault("/at", "too_late", "It has begun."),)
    assert str(refused) == "too_late: It has begun."
    assert Refused("too_late", "It has begun.").errors == ()


def test_a_refusal_survives_a_pickle() -> None:
    refused = Refused("too_late", "It has begun.", pointer="/at", facts={"since": "18:00"})

    copy = pickle.loads(pickle.dumps(refused))  # noqa: S301 -- our own bytes

    assert (copy.code, copy.words, copy.facts, copy.errors) == (
        refused.code,
        refused.words,
        refused.facts,
        refused.errors,
    )


def test_the_tree_draws_every_code_that_the_rules_raise() -> None:
    drawn = domain.states.__doc__ or ""
    rules = Path(domain.states.__file__).parent

    missing = {code for file in rules.glob("*.py") for code in _raised(file)} - set(drawn.split())

    # Codes of single lines stand in the faults of an `invalid` file.
    assert missing == {"invalid_text", "not_a_number", "wrong_header", "wrong_columns", "unreadable_line", "not_utf8"}


def _raised(file: Path) -> Iterator[str]:
    names = {"Refused", "BadMoney", "InexactMoney", "MixedCurrencies"}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            code = node.args[0]
            if isinstance(code, ast.Constant):
                yield str(code.value)
