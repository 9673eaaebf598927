"""One child process: how it is started in a session of its own, recorded, asked to end and made to end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.files import write_atomically
from supervisor.home import Home

MARK = "ALLOTMENT_PART"
"""The variable by which a later supervisor of the same home knows a leftover of an earlier one."""

_PR_SET_CHILD_SUBREAPER = 36
_LOG_LIMIT = 20_000_000
_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """The user a child runs as when we are root and it must not be."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Spec:
    """What a part is: its command, its surroundings and the manner of its end."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5
    before_start: Callable[[], None] | None = None


def become_subreaper() -> None:
    """Orphans of our parts become our children, so that we see them and can end them. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def inherited_environment() -> dict[str, str]:
    """Our own environment without what belongs to make or to another supervisor."""
    foreign = {MARK, "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


class Child:
    """A running part. Its pid file names the process itself."""

    def __init__(self, spec: Spec, *, home: Home) -> None:
        self.spec = spec
        self._home = home
        if spec.before_start:
            spec.before_start()
        self.started = time.monotonic()
        self._process = _spawn(spec, home=home)
        write_atomically(home.pid_file(spec.name), f"{self._process.pid}\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ending(self) -> str:
        """How it ended, in words."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    @property
    def status(self) -> int | None:
        return self._process.returncode

    def ask_to_end(self) -> None:
        self._send(self.spec.stop_signal)

    def kill(self) -> None:
        """The process and whatever it left in its session."""
        self._send(signal.SIGKILL)
        self.kill_session()
        self._process.wait()

    def kill_session(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def forget(self) -> None:
        """The pid file of a part that has ended on purpose names nobody."""
        self._home.pid_file(self.spec.name).unlink(missing_ok=True)

    def _send(self, number: signal.Signals) -> None:
        if not self.has_ended():
            self._process.send_signal(number)


def _spawn(spec: Spec, *, home: Home) -> "subprocess.Popen[bytes]":
    log = home.log(spec.name)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            _launched(spec),
            cwd=spec.folder,
            env={**inherited_environment(), **spec.environment, MARK: f"{spec.name}@{home.path}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Mail, documents, books and logs are the agency's business, not every local user's.
            umask=0o077,
        )


def _launched(spec: Spec) -> list[str]:
    """The command behind `launch`, which becomes it: same pid, no wrapper stays."""
    account = (str(spec.account.uid), str(spec.account.gid)) if spec.account else ("-", "-")
    words = (str(int(spec.stop_signal)), str(os.getpid()), *account)
    return [sys.executable, "-I", "-S", str(_LAUNCH), *words, *spec.command]
