"""The folder that holds one instance's state: its lock, its addresses and its secrets."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from supervisor.errors import CannotStart
from supervisor.files import write_atomically


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a running instance answer; what `run/addresses.json` holds."""

    engine: str
    database_url: str
    app_database_url: str
    temporal_address: str
    temporal_namespace: str
    provider_url: str
    smtp_url: str
    api_url: str = ""
    build_id: str = ""
    metrics: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The variables by which a part finds the others."""
        return {
            "DATABASE_URL": self.database_url,
            "ALLOTMENT_APP_DATABASE_URL": self.app_database_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.temporal_namespace,
            "ALLOTMENT_PROVIDER_URL": self.provider_url,
            "ALLOTMENT_SMTP_URL": self.smtp_url,
            "ALLOTMENT_BUILD_ID": self.build_id,
        }


@dataclass(frozen=True)
class Home:
    """Paths below `ALLOTMENT_HOME`."""

    path: Path

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def addresses_file(self) -> Path:
        return self.run / "addresses.json"

    @property
    def engine_file(self) -> Path:
        return self.run / "engine"

    @property
    def hanging_file(self) -> Path:
        """The parts that live but do not answer, one a line; not there when all do."""
        return self.run / "hanging"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def pid_file(self, part: str) -> Path:
        return self.run / f"{part}.pid"

    def make(self) -> None:
        """Creates what is missing. Raises CannotStart when the folder cannot be written."""
        try:
            self.run.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.path / "mail", self.path / "documents"):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CannotStart(
                f"cannot write {error.filename or self.path}: {error.strerror}; set ALLOTMENT_HOME to a folder that is yours"
            ) from None

    def record_engine(self, name: str) -> None:
        write_atomically(self.engine_file, f"{name}\n")

    def recorded_engine(self) -> str | None:
        """The engine in which this home's processes live, None before the first start."""
        try:
            return self.engine_file.read_text().strip() or None
        except OSError:
            return None

    def read_addresses(self) -> Addresses | None:
        """What the running instance wrote, or None when none did."""
        try:
            return Addresses(**json.loads(self.addresses_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_addresses(self, addresses: Addresses) -> None:
        """Readable by the owner only, for it holds the database's passwords."""
        write_atomically(self.addresses_file, json.dumps(asdict(addresses), indent=2) + "\n", mode=0o600)


class Lock:
    """Held for as long as somebody runs, resets or borrows the home; the kernel drops it when its holder dies."""

    def __init__(self, home: Home) -> None:
        self._file = home.run / "lock"
        self._home = home
        self._handle: IO[str] | None = None

    def try_take(self) -> bool:
        handle = self._file.open("a+", encoding="utf-8")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        self._handle = handle
        return True

    def take(self) -> None:
        """Raises CannotStart naming the holder when the home is in use."""
        if not self.try_take():
            raise CannotStart(
                f"{self._home.path} is in use by the instance with pid {self.holder()}; "
                "stop it first, or set ALLOTMENT_HOME and ALLOTMENT_PORT to start another"
            )

    def holder(self) -> str:
        try:
            return self._file.read_text().strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
