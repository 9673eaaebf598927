"""`allotment verify` counts what stays, not what comes and goes while the house trades, and says what it could not judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import oracle
from db import invariants
from db.invariants import Outside, Violation
from oracle import outside
from oracle.outside import Seen
from settings import Settings

AWAKE = Seen(outside=Outside(awake_since=datetime.now(UTC) - timedelta(hours=1)), asleep=())
SETTINGS = Settings(database_url="postgresql://nowhere")
Look = Mapping[str, Sequence[Violation]]


def a_row(subject: str, fault: str = "is wrong") -> Violation:
    return Violation(tenant_id=None, subject=subject, fault=fault)


def off(ours: str, theirs: str) -> Violation:
    return a_row("account 1100", f"is {ours}, the provider has {theirs} EUR")


class House:
    """A house that shows something else at every look, the last thing for good."""

    def __init__(self, looks: Sequence[Look], seen: Seen) -> None:
        self.looks, self.seen, self.number = looks, seen, 0

    def violations(self, _url: str, _outside: Outside) -> dict[str, list[Violation]]:
        now = self.looks[min(self.number, len(self.looks) - 1)]
        self.number += 1
        return {one.name: list(now.get(one.name, ())) for one in invariants.invariants()}


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle, "PAUSE", 0)
        yield patch


def a_house(patch: pytest.MonkeyPatch, *looks: Look, seen: Seen = AWAKE) -> House:
    house = House(looks or ({},), seen)
    patch.setattr(invariants, "all_violations", house.violations)
    patch.setattr(outside, "look", lambda _settings: house.seen)
    return house


def found(name: str) -> list[str]:
    verdict = next(one for one in oracle.check(SETTINGS) if one.invariant.name == name)
    return [f"{row.subject} {row.fault}" for row in verdict.violations]


def test_a_house_without_a_fault_is_looked_at_once(patch: pytest.MonkeyPatch) -> None:
    house = a_house(patch)

    assert found("M3") == []
    assert house.number == 1


def test_five_differences_that_come_and_go_are_no_violation(patch: pytest.MonkeyPatch) -> None:
    a_house(patch, *({"M3": [a_row(f"payment {number}")]} for number in range(5)))

    assert found("M3") == []


def test_what_is_there_at_every_look_is_a_violation(patch: pytest.MonkeyPatch) -> None:
    house = a_house(patch, *({"M3": [a_row("payment 7"), a_row(f"payment {number}")]} for number in range(10, 15)))

    assert found("M3") == ["payment 7 is wrong"]
    assert house.number == oracle.LOOKS


def test_what_was_away_for_one_look_has_not_lasted(patch: pytest.MonkeyPatch) -> None:
    here: Look = {"M3": [a_row("payment 7")], "S6": [a_row("booking 1")]}
    a_house(patch, here, {"S6": [a_row("booking 1")]}, here)

    assert found("M3") == []


def test_another_fault_of_the_same_thing_is_the_same_violation(patch: pytest.MonkeyPatch) -> None:
    a_house(patch, *({"B1200": [a_row("account 1200", f"is {number}")]} for number in range(5)))

    assert found("B1200") == ["account 1200 is 4"]


def test_the_same_subject_of_another_invariant_is_another_thing(patch: pytest.MonkeyPatch) -> None:
    row = [a_row("payment 7")]
    a_house(patch, {"M2": row}, {"M3": row})

    assert not any(verdict.violations for verdict in oracle.check(SETTINGS))


def test_looking_ends_as_soon_as_nothing_is_left(patch: pytest.MonkeyPatch) -> None:
    house = a_house(patch, {"M3": [a_row("payment 1")]}, {"M3": [a_row("payment 2")]})

    assert found("M3") == []
    assert house.number == 2


def test_the_providers_sum_may_be_off_by_something_else_at_each_look(patch: pytest.MonkeyPatch) -> None:
    a_house(patch, *({"B1100": [off(f"{100 + number}.00", "90.00")]} for number in range(5)))

    assert found("B1100") == []


def test_the_providers_sum_that_stays_off_by_the_same_is_a_violation_though_the_house_trades(
    patch: pytest.MonkeyPatch,
) -> None:
    a_house(patch, *({"B1100": [off(f"{100 + number}.00", f"{90 + number}")]} for number in range(5)))

    assert found("B1100") == ["account 1100 is 104.00, the provider has 94 EUR"]


def test_only_the_invariants_that_ask_for_lateness_need_an_awake_house() -> None:
    asking = {one.name for one in invariants.invariants() if "allotment.awake_since" in one.query}

    assert asking == set(oracle.LATENESS)


def printed(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seen: Seen) -> dict[str, str]:
    """What `allotment verify` says, line by line."""
    a_house(patch, seen=seen)
    patch.setattr(oracle, "current", lambda: SETTINGS)
    assert oracle.main() == 0
    said = capsys.readouterr()
    assert said.err == ""
    return {line.split()[0]: line for line in said.out.splitlines()}


def test_every_line_of_an_awake_house_is_a_number_and_a_sentence(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(patch, capsys, AWAKE)

    assert list(lines) == [one.name for one in invariants.invariants()]
    assert lines["S5"].startswith("S5         0  No reservation outlives")


def test_it_says_what_was_not_judged_and_which_part_it_missed(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(patch, capsys, Seen(outside=Outside(), asleep=("dispatcher", "worker-1")))

    words = "(not known to be at work: dispatcher, worker-1): "
    assert lines["L1"].startswith(f"L1         0  not judged {words}Whatever")
    assert lines["S5"].startswith(f"S5         0  not judged {words}No")
    assert lines["S6"].startswith(f"S6         0  judged in part {words}Every")
    assert [name for name, line in lines.items() if "judged" in line] == ["S5", "S6", "L1"]


def test_a_house_that_has_just_woken_is_not_judged_for_lateness(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    woken = Outside(awake_since=datetime.now(UTC) - timedelta(seconds=45))

    lines = printed(patch, capsys, Seen(outside=woken, asleep=()))

    assert "not judged (all parts are at work only since " in lines["L1"]
    assert [name for name, line in lines.items() if "judged" in line] == ["L1"]


def test_programs_are_told_as_well(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    a_house(patch, seen=Seen(outside=Outside(), asleep=("provider",)))
    patch.setattr(oracle, "current", lambda: SETTINGS)

    oracle.main(as_json=True)

    told = {one["name"]: one["reserve"] for one in json.loads(capsys.readouterr().out)["invariants"]}
    assert told["L1"] == "not judged (not known to be at work: provider)"
    assert told["M1"] is None


def test_a_look_at_a_house_that_is_away_finds_nobody_at_work(tmp_path: Path) -> None:
    away = Settings(home=tmp_path, provider_url="http://127.0.0.1:9")

    seen = outside.look(away)

    assert seen.outside == Outside(provider_book=[])
    assert seen.asleep == ["dispatcher", "worker-1", "worker-documents", "temporal", "provider"]
    assert outside.read(away) == seen.outside
