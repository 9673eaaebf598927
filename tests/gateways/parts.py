"""Parts of the house as a test starts them: real processes on free ports, with a home of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Part:
    """One process of ours that can be started, asked to stop, killed, frozen and started again."""

    def __init__(self, home: Path, *, module: str, variable: str, scheme: str) -> None:
        self.home = home
        self.port = _free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._module = module
        self._environment = {**os.environ, "ALLOTMENT_HOME": str(home), variable: self.url}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self) -> None:
        with (self.home / "part.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {self._module} import main; main()"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 20
        while not self._listens():
            assert self.process.poll() is None, (self.home / "part.log").read_text()
            assert time.monotonic() < until, f"{self._module} does not come up"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, and gone."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status. Fails when it takes longer than five seconds."""
        self.process.terminate()
        return self.process.wait(timeout=5)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Started, and ended with the block."""
        self.start()
        try:
            yield self
        finally:
            self.end()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def a_provider(home: Path) -> Part:
    return Part(home, module="gateways.simulated_provider", variable="ALLOTMENT_PROVIDER_URL", scheme="http")


def a_sink(home: Path) -> Part:
    return Part(home, module="gateways.mail_sink", variable="ALLOTMENT_SMTP_URL", scheme="smtp")
