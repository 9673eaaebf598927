"""What the races are told with: requests and answers on the wire, guards that are there to be taken away, the page's section."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db import idempotency, reserving
from prove.races import results, unguarded, words
from prove.races.clients import Answer, Ask, answered
from prove.races.tally import Tally

YES = b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\nIdempotent-Replayed: true\r\n\r\n"
LINE = {
    "name": "c1",
    "sentence": "all want one seat",
    "expected": "one gets it",
    "clients": 200,
    "rounds": 1000,
    "requests": 200_000,
    "counted": {"winners": 1000},
    "server_errors": 0,
    "deadlocks": 0,
    "p50_ms": 80.0,
    "p99_ms": 120.0,
    "violations": 0,
    "holds": True,
    "faults": [],
}
CONTROL = {"guard": "the lock", "race": "c1", "caught": True, "how": "7 winners"}


def test_a_request_says_who_asks_what_under_which_key() -> None:
    wire = Ask(method="POST", path="/api/customers", token="t", body={"name": "Ä"}, key="k").wire

    head, _, content = wire.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/customers HTTP/1.1\r\n")
    assert {b"Authorization: Bearer t", b"Idempotency-Key: k"} <= set(head.split(b"\r\n"))
    assert json.loads(content) == {"name": "Ä"}


def test_an_answer_is_there_when_it_is_whole() -> None:
    assert answered(YES[:20], 0.1) is None
    assert answered(YES + b'{"id": 1', 0.1) is None
    assert answered(YES + b'{"id": 1}', 0.1) == Answer(201, b'{"id": 1}', 0.1, replayed=True)


def test_what_is_not_clean_is_wrong_and_a_silence_is_an_error_of_ours() -> None:
    tally = Tally(rounds=1)

    refusal = Answer(409, b'{"code": "seats_unavailable"}', 0.2)
    tally.heard(
        [Answer(201, b"{}", 0.1), refusal, Answer(503, b"{}", 0.3), Answer(0, b"", 9.0)],
        clean=("201", "409 seats_unavailable"),
    )

    assert (tally.wrong, tally.unanswered) == (2, 2)
    assert tally.line()["answers"] == {"0": 1, "201": 1, "409 seats_unavailable": 1, "503": 1}


@pytest.mark.parametrize("guard", ["lock", "order", "key"])
def test_a_guard_that_is_taken_away_was_there(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "TAKE", reserving.TAKE)
    monkeypatch.setattr(idempotency, "remember", idempotency.remember)
    before = (reserving.TAKE, idempotency.remember)

    unguarded.GUARDS[guard]()

    assert (reserving.TAKE, idempotency.remember) != before


def test_a_statement_without_the_guard_cannot_lose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "TAKE", "SELECT 1")

    with pytest.raises(LookupError):
        unguarded.without_order()


def test_a_run_of_some_races_keeps_what_is_known_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "races.json"
    results.write(seed=1, races=[LINE, {**LINE, "name": "c2"}], controls=[CONTROL], file=file)

    found = results.write(seed=2, races=[{**LINE, "rounds": 5}], controls=[], file=file)

    assert [(line["name"], line["runs"], line["seed"]) for line in found["races"]] == [("c1", 2, 2), ("c2", 1, 1)]
    assert [line["guard"] for line in found["controls"]] == ["the lock"]


def test_runs_add_up_and_what_once_went_wrong_stays_wrong() -> None:
    lost = {**LINE, "violations": 2, "holds": False, "faults": ["two were promised it"], "counted": {"winners": 1002}}

    both = results.added(results.added(lost, LINE), {**LINE, "p99_ms": 90.0, "counted": {"refused": 7}})

    assert (both["runs"], both["rounds"], both["requests"]) == (3, 3000, 600_000)
    assert both["counted"] == {"winners": 2002, "refused": 7}
    assert (both["violations"], both["holds"], both["faults"]) == (2, False, ["two were promised it"])
    assert both["p99_ms"] == 120.0


def test_a_fresh_run_begins_with_nothing(tmp_path: Path) -> None:
    file = tmp_path / "races.json"
    results.write(seed=1, races=[LINE], controls=[CONTROL], file=file)

    results.begin(file=file)
    assert file.exists()
    results.begin(fresh=True, file=file)
    assert not file.exists()


def test_the_section_holds_what_the_run_printed(tmp_path: Path) -> None:
    lost = {**LINE, "name": "c2", "holds": False, "violations": 3, "faults": ["two were promised it"]}
    found = results.write(seed=42, races=[LINE, lost], controls=[CONTROL], file=tmp_path / "races.json")

    section = words.section(found)

    assert "| c1 | 1,000 | 200,000 | 0 | 0 | 80 ms | 120 ms | 0 |" in section
    assert "Found: winners 1,000." in section
    assert "**3** |" in section
    assert "wrong: two were promised it" in section
    assert "| the lock | c1 | yes | 7 winners |" in section
