"""Two lanes for the API's threads: one for what a rush asks for, one for everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

T = TypeVar("T")

# A rush queues for these, where waiting costs nothing, and each finds a connection of its own: one more thread than there
# are connections would be told after three seconds that the database is away, when it is only busy.
THREADS = 10

# Three are as fast as ten, because Python lets one of them work at a time while PostgreSQL works for the others; but whoever
# stands in the queue is served in turn, and whoever has a thread shares it with all who have one (docs/decisions/0011).
RUSH = 3


def lay_out(app: FastAPI) -> None:
    """Give the application its rush lane."""
    app.state.rush = CapacityLimiter(RUSH)


def narrow_the_other() -> None:
    """Leave the other lane what the rush does not have; called where the event loop runs."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS - RUSH


async def in_lane(app: FastAPI, act: Callable[[], T], *, rush: bool) -> T:
    """Do it in a thread of the lane."""
    limiter = cast("CapacityLimiter", app.state.rush) if rush else None
    return await to_thread.run_sync(act, limiter=limiter)
