"""Telling a part that hangs from one that answers and from one that is away."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor import pulses
from supervisor.home import Home
from supervisor.pulses import Question, Watch


@pytest.fixture
def silent() -> Iterator[Question]:
    """Whoever listens here takes calls and never says a word, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Question("127.0.0.1", server.getsockname()[1], b"anybody there?")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.make()
    return made


def a_watch(home: Home, asked: dict[str, Question], condemned: list[str], *, alive: bool = True) -> Watch:
    return Watch(home, asked, is_alive=lambda _: alive, condemn=condemned.append)


def test_who_takes_the_call_and_says_nothing_hangs(silent: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "_PATIENCE", 0.1)

    assert silent.is_met_with_silence()


def test_who_is_away_does_not_hang(silent: Question) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert not Question("127.0.0.1", port, b"").is_met_with_silence()


def test_two_silences_are_written_down_and_only_a_minute_of_them_is_the_end(
    silent: Question, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "_PATIENCE", 0.1)
    condemned: list[str] = []
    watch = a_watch(home, {"provider": silent}, condemned)

    watch.look()
    after_one = home.hanging_file.exists()
    watch.look()
    told = home.hanging_file.read_text()
    before = list(condemned)
    monkeypatch.setattr(pulses, "_LEFT_ALONE", 0.0)
    watch.look()

    assert (after_one, told, before, condemned) == (False, "provider\n", [], ["provider"])


def test_a_part_that_answers_again_is_taken_off_the_list(
    silent: Question, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "_PATIENCE", 0.1)
    asked = {"provider": silent}
    watch = a_watch(home, asked, [])
    watch.look()
    watch.look()

    asked["provider"] = Question("127.0.0.1", 1, b"")
    watch.look()

    assert not home.hanging_file.exists()


def test_a_part_that_is_not_ours_is_not_asked(silent: Question, home: Home) -> None:
    watch = a_watch(home, {"postgres": silent}, [], alive=False)

    watch.look()
    watch.look()

    assert not home.hanging_file.exists()
