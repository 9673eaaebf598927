"""One instance under test: started as a process of its own, looked at from outside, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from settings import ROOT
from supervisor import leftovers
from supervisor.home import Addresses, Home

STAND_IN = (sys.executable, "-m", "tests.supervisor.stand_in", "up", "--demo")
PARTS = ("api", "dispatcher", "mail", "postgres", "provider", "temporal", "worker-1", "worker-documents")


class Instance:
    """`command` in a home; its output goes to `terminal`."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = Home(home)
        self.port = port
        self.terminal = home.parent / f"{home.name}.terminal"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        *,
        command: tuple[str, ...] = STAND_IN,
        account: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "Instance":
        names = {"ALLOTMENT_HOME": str(self.home.path), "ALLOTMENT_PORT": str(self.port), **(environment or {})}
        with self.terminal.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, **names},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account,
                extra_groups=None if account is None else [],
            )
        return self

    def started(self, **environment: str) -> "Instance":
        self.start(environment=environment)
        self.wait_for(lambda: self.said(f"ready  http://127.0.0.1:{self.port}\n"))
        return self

    def said(self, words: str) -> bool:
        return words in self.terminal.read_text()

    def pid(self, part: str) -> int:
        return int(self.home.pid_file(part).read_text())

    def pids(self) -> dict[str, int]:
        return {file.stem: int(file.read_text()) for file in self.home.run.glob("*.pid")}

    def addresses(self) -> Addresses:
        found = self.home.read_addresses()
        assert found
        return found

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 90) -> float:
        """Seconds waited; fails with what the terminal shows."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, self.terminal.read_text()
            assert self.process is None or self.process.poll() is None, self.terminal.read_text()
            time.sleep(0.02)
        return time.monotonic() - began

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def ended(self, *, seconds: float = 30) -> int:
        """The exit status."""
        assert self.process
        return self.process.wait(seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send(number)
        return self.ended()

    def remains(self) -> list[str]:
        """What still runs of this home, and that must be nothing."""
        data = str(self.home.path / "postgres" / "data")
        return [f"{p.pid} {p.name()}" for p in (*leftovers.of_home(self.home), *leftovers.in_folder(data))]

    def destroy(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        leftovers.end(leftovers.of_home(self.home), first=signal.SIGKILL, seconds=2)


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
