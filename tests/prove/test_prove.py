"""What one command gives to each of its parts."""

from __future__ import annotations

import pytest

from prove.__main__ import share


@pytest.mark.parametrize(("minutes", "expected"), [("48", "0.1"), ("480", "1.0"), ("9999", "1.0")])
def test_the_races_take_their_part_of_the_minutes(monkeypatch: pytest.MonkeyPatch, minutes: str, expected: str) -> None:
    monkeypatch.delenv("RACES", raising=False)
    monkeypatch.setenv("MINUTES", minutes)

    assert share() == expected


def test_a_race_that_is_named_is_run_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACES", "c4")

    assert share() == "1"
