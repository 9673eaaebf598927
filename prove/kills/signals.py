"""Signals between the workers and the harness: a worker at an armed point says so, and waits until the harness has struck."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from supervisor.files import write_atomically

ARMED, BOX = "armed.json", "signals"
LONGEST_WAIT = 30.0
"""Seconds after which a worker goes on by itself, should the harness be gone."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A part's word that a process is at a point of a step; `place` is `Booking/payments.capture/effect`."""

    place: str
    process_id: str
    part: str


class Signals:
    """The worker's side: what is armed is read from a file of the home, which costs next to nothing while nothing is."""

    def __init__(self, run: Path, *, part: str) -> None:
        self._run = run
        self._part = part
        self._read_at = 0
        self._armed: frozenset[str] = frozenset()

    def is_armed(self, place: str) -> bool:
        """Whether somebody waits for a process to come there."""
        try:
            changed_at = (self._run / ARMED).stat().st_mtime_ns
        except OSError:
            return False
        if changed_at != self._read_at:
            self._armed = frozenset(json.loads((self._run / ARMED).read_text()))
            self._read_at = changed_at
        return place in self._armed

    def arrive(self, place: str, *, process_id: str) -> None:
        """Say that a process is there, and wait; at once when nobody asked, or somebody else was first."""
        if not self.is_armed(place):
            return
        word = Arrival(place=place, process_id=process_id, part=self._part)
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LONGEST_WAIT)
            line.connect(str(self._run / BOX))
            line.sendall(json.dumps(asdict(word)).encode() + b"\n")
            line.recv(1)


@dataclass(kw_only=True)
class Held:
    """A process that stands at its point until it is let go; `at` is this machine's monotonic clock."""

    arrival: Arrival
    at: float
    line: socket.socket

    def let_go(self) -> None:
        """Let the worker go on, if it still lives."""
        with suppress(OSError):
            self.line.sendall(b"g")
        self.line.close()


@dataclass
class SignalBox:
    """The harness's side: takes the first arrival at each armed place, sends every other on its way."""

    run: Path
    _armed: set[str] = field(default_factory=set)
    _spared: set[str] = field(default_factory=set)
    _held: list[Held] = field(default_factory=list)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _door: socket.socket | None = None

    def __enter__(self) -> Self:
        path = self.run / BOX
        path.unlink(missing_ok=True)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen(64)
        self._write()
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.disarm()
        if self._door is not None:
            self._door.close()

    def arm(self, places: Iterable[str]) -> None:
        """From now on the first process to come to each of these places is held there."""
        with self._lock:
            self._armed |= set(places)
            self._write()

    def disarm(self) -> set[str]:
        """Hold nobody any more; the places nobody came to."""
        with self._lock:
            left, self._armed = self._armed, set()
            self._write()
        for held in self.take():
            held.let_go()
        return left

    def spare(self, process_id: str) -> None:
        """Never hold this process: by it somebody asks how the house does."""
        with self._lock:
            self._spared.add(process_id)

    @property
    def waiting(self) -> int:
        """How many armed places nobody has come to yet."""
        with self._lock:
            return len(self._armed)

    @property
    def holding(self) -> int:
        """How many stand at their points now."""
        with self._lock:
            return len(self._held)

    def take(self) -> list[Held]:
        """Everybody who is held now; they stay where they are until they are let go."""
        with self._lock:
            found, self._held = self._held, []
            return found

    def gather(self, *, seconds: float, patience: Callable[[Held], float]) -> list[Held]:
        """Wait for arrivals: until everybody has come, somebody has waited as long as they may, or the time is over."""
        deadline = time.monotonic() + seconds
        with self._lock:
            while self._armed:
                until = min([deadline, *(held.at + patience(held) for held in self._held)])
                if (left := until - time.monotonic()) <= 0:
                    break
                self._lock.wait(left)
        return self.take()

    def _listen(self) -> None:
        assert self._door is not None, "entered"
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with suppress(OSError, ValueError):
            arrival = Arrival(**json.loads(line.makefile("rb").readline()))
            held = Held(arrival=arrival, at=time.monotonic(), line=line)
            with self._lock:
                if arrival.place in self._armed and arrival.process_id not in self._spared:
                    self._armed.discard(arrival.place)
                    self._write()
                    self._held.append(held)
                    self._lock.notify_all()
                    return
            held.let_go()
            return
        line.close()

    def _write(self) -> None:
        write_atomically(self.run / ARMED, json.dumps(sorted(self._armed)))
