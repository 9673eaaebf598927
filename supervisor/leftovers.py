"""Processes that an earlier supervisor of the same home left behind, known by a mark in their environment."""

import os
import signal
import time
from collections.abc import Callable, Iterable

import psutil

from supervisor.home import Home
from supervisor.process import MARK


def of_home(home: Home) -> list[psutil.Process]:
    """Every process that carries this home's mark; never one that merely has a recorded pid."""
    mark = f"@{home.path}"
    return _matching(lambda process: process.environ().get(MARK, "").endswith(mark))


def in_folder(folder: str) -> list[psutil.Process]:
    """Postgres processes whose working folder is this data directory, which each of its backends shares."""
    return _matching(lambda process: process.name().startswith("postgres") and process.cwd() == folder)


def end(processes: Iterable[psutil.Process], *, first: signal.Signals, seconds: float) -> None:
    """Asks, waits, kills."""
    asked = list(processes)
    _send(asked, first)
    stubborn = _still_there(asked, seconds=seconds)
    _send(stubborn, signal.SIGKILL)
    _still_there(stubborn, seconds=5)


def _still_there(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Those that have not ended in time; one that only waits to be reaped has ended."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether that very process, and not a later one with its pid, still does something."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _matching(test: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and is_alive(process) and test(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            # psutil compares the start time first, so a reused pid is not hit.
            process.send_signal(number)
        except psutil.Error:
            continue
