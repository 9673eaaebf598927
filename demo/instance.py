"""A fresh temporary home brought up exactly as people do it, asked by the oracle, stopped, and forgotten."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx2

from settings import ROOT
from supervisor.ports import free_port

WINDOW, GRACE = "PT45S", "PT15S"
"""Short, so that abandoned baskets and late money can be seen within the demo."""
FOREIGN = (
    "DATABASE_URL",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "ALLOTMENT_APP_DATABASE_URL",
    "ALLOTMENT_PROVIDER_URL",
    "ALLOTMENT_SMTP_URL",
    "ALLOTMENT_DEMO",
)
"""The demo never trades in somebody's real books, wherever it is called."""
LAUNCH = ROOT / "supervisor" / "launch.py"
START_SECONDS, STOP_SECONDS = 1200, 45

Say = Callable[[str], None]


class InstanceFailed(Exception):
    """It did not come up, or did not stop in order."""


@dataclass(frozen=True)
class Instance:
    """A running back office of the demo's own."""

    home: Path
    url: str
    environment: dict[str, str]

    @property
    def log(self) -> Path:
        """What `allotment up` said."""
        return self.home / "up.log"

    @property
    def mail(self) -> Path:
        """What the mail sink took."""
        return self.home / "mail"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One more command in this home."""
        command = (sys.executable, "-m", "cli", *words)
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)


@contextmanager
def instance(*, engine: str | None, say: Say, is_fine: Callable[[], bool]) -> Iterator[Instance]:
    """Up, for as long as the block lasts; the home is kept unless all is fine in the end, so that one can look.

    Raises InstanceFailed when it does not come up or does not stop in order.
    """
    home = Path(tempfile.mkdtemp(prefix="allotment-demo-"))
    port = free_port()
    running = Instance(home, f"http://127.0.0.1:{port}", _environment(home, port))
    started = time.monotonic()
    ended_well = False
    try:
        with _process(running, engine) as process:
            _wait_until_ready(running, process, say)
            say(f"ready after {time.monotonic() - started:.0f} s at {running.url}")
            yield running
            say("stopping")
        ended_well = is_fine()
    finally:
        if ended_well:
            _forget(running)
        else:
            say(f"the home is kept: {home}")


def _environment(home: Path, port: int) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name not in FOREIGN},
        "ALLOTMENT_HOME": str(home),
        "ALLOTMENT_PORT": str(port),
        "ALLOTMENT_RESERVATION_WINDOW": WINDOW,
        "ALLOTMENT_PAYMENT_GRACE": GRACE,
    }


@contextmanager
def _process(running: Instance, engine: str | None) -> "Iterator[subprocess.Popen[bytes]]":
    """`allotment up --demo` in a session of its own; stopped as its terminal would stop it, even if we are killed."""
    words = ["up", "--demo", *(["--engine", engine] if engine else [])]
    launched = (sys.executable, "-I", "-S", str(LAUNCH), str(int(signal.SIGTERM)), str(os.getpid()), "-", "-")
    with running.log.open("wb") as output:
        process = subprocess.Popen(
            (*launched, sys.executable, "-m", "cli", *words),
            cwd=ROOT,
            env=running.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process, running)


def _wait_until_ready(running: Instance, process: "subprocess.Popen[bytes]", say: Say) -> None:
    deadline = time.monotonic() + START_SECONDS
    told = 0
    while not _is_ready(running.url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise InstanceFailed(
                f"`allotment up` did not become ready:\n{running.log.read_text(errors='replace')[-2000:]}"
            )
        lines = running.log.read_text(errors="replace").splitlines()
        for line in lines[told:]:
            say(line)
        told = len(lines)
        time.sleep(0.5)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == HTTPStatus.OK
    except httpx2.HTTPError:
        return False


def _stop(process: "subprocess.Popen[bytes]", running: Instance) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise InstanceFailed(f"`allotment up` did not stop within {STOP_SECONDS} s") from None
    if status != 0:
        raise InstanceFailed(f"`allotment up` ended with status {status}; its last words: {_last_line(running.log)}")


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").splitlines() or ["none"])[-1]


def _forget(running: Instance) -> None:
    """The database may lie outside the home, where its own user can reach it; only `reset` knows."""
    running.run("reset", "--yes")
    shutil.rmtree(running.home, ignore_errors=True)
