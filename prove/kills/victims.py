"""Deaths: each victim killed by SIGKILL, all of its processes at one instant, and seen to be dead."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from stand.running import Stand, kill_at_once


class StillAlive(Exception):
    """A victim that should be dead is not: the harness strikes nobody."""


@dataclass(frozen=True)
class Death:
    """Which parts died, with how many processes."""

    parts: tuple[str, ...]
    processes: int


def kill(stand: Stand, parts: Iterable[str]) -> Death:
    """SIGKILL to these parts and everything below them; returns when they are gone. Raises StillAlive."""
    named = tuple(parts)
    family = [process for part in named for process in family_of(stand, part)]
    if not family:
        raise StillAlive(f"{', '.join(named)}: nobody there to kill")
    end(family)
    return Death(named, len(family))


def kill_node(stand: Stand) -> Death:
    """The supervisor and everything below it. Raises StillAlive."""
    seen = {part: stand.pid(part) for part in (*stand.plan.api_names, *stand.plan.worker_names, "postgres", "temporal")}
    died = stand.kill_node()
    left = [part for part, pid in seen.items() if pid is not None and _lives(pid)]
    if left:
        raise StillAlive(f"{', '.join(left)} survived the node")
    return Death(("node",), died)


def family_of(stand: Stand, part: str) -> list[psutil.Process]:
    """A part's process and its children: Postgres is many."""
    pid = stand.pid(part)
    try:
        return [] if pid is None else [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(family: list[psutil.Process]) -> None:
    """All at once. Raises StillAlive."""
    left = [process.pid for process in kill_at_once(family) if _lives(process.pid)]
    if left:
        raise StillAlive(f"pids {left} live on after SIGKILL")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and os.getpgid(pid) >= 0
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False
