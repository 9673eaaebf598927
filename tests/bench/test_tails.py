"""The tail window by window."""

from __future__ import annotations

import pytest

from bench.tails import typical


def run(*tails: float, each: int = 100, last: float = 5.0) -> tuple[list[float], list[float]]:
    """A run of windows in each of which one answer in fifty took that long; the last window is `last` seconds."""
    ends, seconds = [], []
    for number, tail in enumerate(tails):
        length = last if number == len(tails) - 1 else 5.0
        for answer in range(each):
            ends.append(number * 5.0 + length * answer / each)
            seconds.append(tail if answer % 50 == 0 else 0.001)
    return ends, seconds


def test_the_tail_is_that_of_the_median_window() -> None:
    assert typical(*run(0.02, 0.03, 0.04), 0.99) == 0.03


def test_one_window_that_stood_still_does_not_make_the_tail_but_two_of_three_do() -> None:
    assert typical(*run(0.02, 9.0, 0.02), 0.99) == 0.02
    assert typical(*run(9.0, 9.0, 0.02), 0.99) == 9.0


def test_the_last_window_counts_when_half_of_it_was_run() -> None:
    assert typical(*run(0.02, 0.04, last=2.0), 0.99) == 0.02
    assert typical(*run(0.02, 0.04, last=3.0), 0.99) == pytest.approx(0.03)


def test_a_run_shorter_than_a_window_is_one_window() -> None:
    assert typical(*run(0.02, last=1.0), 0.99) == 0.02


def test_a_run_without_an_answer_has_no_tail() -> None:
    with pytest.raises(ValueError, match="without an answer"):
        typical([], [], 0.99)
