"""A sign of life for steps that take more than a moment: a killed worker is missed within seconds, not at the timeout."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from functools import wraps
from threading import Event, Thread
from typing import ParamSpec, TypeVar

from temporalio import activity

P = ParamSpec("P")
R = TypeVar("R")

EVERY = 2.0


def beating(step: Callable[P, R]) -> Callable[P, R]:
    """Heartbeat from a thread of its own while the step, one long transaction, keeps its thread busy."""

    @wraps(step)
    def alive(*args: P.args, **kwargs: P.kwargs) -> R:
        if not activity.in_activity():
            return step(*args, **kwargs)
        done = Event()
        heart = Thread(target=contextvars.copy_context().run, args=(_beat, done), daemon=True)
        heart.start()
        try:
            return step(*args, **kwargs)
        finally:
            done.set()

    return alive


def _beat(done: Event) -> None:
    while not done.wait(EVERY):
        activity.heartbeat()
