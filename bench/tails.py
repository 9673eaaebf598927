"""The tail of a run, whole and window by window: a disk that stops for a moment spoils one window, not the others."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

WINDOW = 5.0


def quantile(seconds: Sequence[float], part: float) -> float:
    """Seconds within which that part of the answers came."""
    return sorted(seconds)[min(int(len(seconds) * part), len(seconds) - 1)]


def typical(ends: Sequence[float], seconds: Sequence[float], part: float, *, window: float = WINDOW) -> float:
    """Seconds within which that part of a window's answers came, in the median window.

    `ends` are seconds since the run began, one per answer, and `seconds` how long each took. The last window counts when
    half of it was run. Raises ValueError when there is no answer.
    """
    if not ends:
        raise ValueError("a run without an answer has no windows")
    windows: dict[int, list[float]] = {}
    for end, took in zip(ends, seconds, strict=True):
        windows.setdefault(int(end // window), []).append(took)
    last = max(windows)
    if last and max(ends) - last * window < window / 2:
        del windows[last]
    return median(quantile(took, part) for took in windows.values())
