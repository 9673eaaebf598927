"""A stand seen from outside: brought up in a process of its own, its parts found, killed and waited for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psutil

from settings import ROOT
from stand.plan import Plan
from supervisor.home import Addresses, Home

# A stand never works in somebody's real books, wherever it is called.
FOREIGN = ("DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "SSL_CERT_FILE")
LAUNCH = ROOT / "supervisor" / "launch.py"
START_SECONDS, STOP_SECONDS, GONE_SECONDS = 1200.0, 45.0, 10.0


class StandFailed(Exception):
    """It did not come up, or did not stop in order."""


class Stand:
    """A house on the test stand, by its home."""

    def __init__(self, home: Path, plan: Plan) -> None:
        self.home = Home(home)
        self.plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        plan.keep(home)

    @property
    def log(self) -> Path:
        """What the supervisor said."""
        return self.home.path / "stand.log"

    @property
    def addresses(self) -> Addresses:
        """Where the parts answer."""
        found = self.home.read_addresses()
        assert found is not None, "the stand is up"
        return found

    @property
    def api_urls(self) -> tuple[str, ...]:
        """One per API, in the order of their names."""
        numbers = json.loads((self.home.run / "ports.json").read_text())
        return tuple(f"http://127.0.0.1:{numbers[name]}" for name in self.plan.api_names)

    def up(self) -> Self:
        """Start it, or start it again on the same home; returns when it is ready. Raises StandFailed."""
        launched = (sys.executable, "-I", "-S", str(LAUNCH), str(int(signal.SIGTERM)), str(os.getpid()), "-", "-")
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                (*launched, sys.executable, "-m", "stand", str(self.home.path)),
                cwd=ROOT,
                env=_surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while b"\nready  " not in b"\n" + self.log.read_bytes()[began:]:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise StandFailed(f"the stand did not come up:\n{self._last_words()}")
            time.sleep(0.05)
        return self

    def down(self) -> None:
        """Stop everything in order. Raises StandFailed when it takes too long or ends badly."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise StandFailed(f"the stand did not stop within {STOP_SECONDS:.0f} s:\n{self._last_words()}") from None
        if status != 0:
            raise StandFailed(f"the stand ended with {status}:\n{self._last_words()}")

    def pid(self, part: str) -> int | None:
        """The part's process, None while it has none."""
        try:
            return int(self.home.pid_file(part).read_text())
        except (OSError, ValueError):
            return None

    def send(self, part: str, number: signal.Signals) -> int | None:
        """A signal to one part, however it comes; the pid that got it, None when nobody was there."""
        pid = self.pid(part)
        try:
            if pid is not None:
                os.kill(pid, number)
        except ProcessLookupError:
            return None
        return pid

    def kill(self, part: str) -> int | None:
        """SIGKILL to one part; the supervisor starts it again."""
        return self.send(part, signal.SIGKILL)

    def kill_node(self) -> int:
        """The whole machine gone at once: SIGKILL to the supervisor and everything below it; how many processes died."""
        assert self._process is not None, "the stand is up"
        family = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]
        kill_at_once(family)
        self._process.wait()
        self._process = None
        return len(family)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command line of the product in this home, such as `verify --json`."""
        return subprocess.run(
            (sys.executable, "-m", "cli", *words),
            cwd=ROOT,
            env={**_surroundings(), "ALLOTMENT_HOME": str(self.home.path)},
            capture_output=True,
            text=True,
            check=False,
        )

    def forget(self) -> None:
        """Remove home and database; the database may lie outside the home, so `reset` does it."""
        self.run("reset", "--yes")
        shutil.rmtree(self.home.path, ignore_errors=True)

    def end(self) -> None:
        """Stop everything and leave nothing of it, however it stops."""
        try:
            self.down()
        finally:
            self.forget()

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def kill_at_once(family: Sequence[psutil.Process]) -> list[psutil.Process]:
    """SIGKILL to all of them, stopped first, so that none sees another die; those that are still there seconds later."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
    alive: list[psutil.Process] = psutil.wait_procs(family, timeout=GONE_SECONDS)[1]
    return alive


def _surroundings() -> dict[str, str]:
    """Our own environment without what leads to another house."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN and "ALLOTMENT_" not in name}


@contextmanager
def a_stand(plan: Plan) -> Iterator[Stand]:
    """A stand in a fresh temporary home for as long as the block lasts."""
    stand = Stand(Path(tempfile.mkdtemp(prefix="allotment-stand-")), plan)
    try:
        yield stand.up()
    finally:
        stand.end()
