"""Which Temporal programs serve: PATH, our cache, the SDK's own download, else built by Go from the pinned module."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from settings import ROOT, current
from supervisor import builder
from supervisor.errors import CannotStart
from supervisor.process import Spec

_OLDEST_CLI = (1, 5)
_OLDEST_SERVER = (1, 29)
_BUILD_SECONDS = 1800
_DOWNLOAD_SECONDS = 300


@dataclass(frozen=True)
class Workshop:
    """How this module runs a job, and whom it tells; the crew's `run` and the console's `say`."""

    run: Callable[[Spec, float], None]
    say: Callable[[str], None]


def cache() -> Path:
    """The folder of built programs, one per pinned module."""
    return _cache_root() / f"temporal-{builder.pin(builder.TEMPORAL)}"


def command_line(workshop: Workshop) -> Path:
    """The CLI that contains the development server. Raises CannotStart saying how to get one."""
    found = _on_path() or _cached()
    if found:
        return found
    workshop.say("no Temporal on PATH or in the cache; trying the SDK's download")
    return _download(workshop) or _build(workshop, "temporal")


def server_and_schema_tool(workshop: Workshop) -> tuple[Path, Path]:
    """The real server and the tool that makes its tables. Raises CannotStart without Go."""
    return _build(workshop, "server"), _build(workshop, "sql")


def _cache_root() -> Path:
    """Ours below the user's cache; in the home for an account that has no cache of its own."""
    usual = Path.home() / ".cache" / "allotment"
    try:
        usual.mkdir(parents=True, exist_ok=True)
    except OSError:
        return current().home / "cache"
    return usual


def _on_path() -> Path | None:
    found = shutil.which("temporal")
    return Path(found) if found and _is_new_enough(found) else None


def _cached() -> Path | None:
    for candidate in (cache() / "temporal", *sorted(_cache_root().glob("sdk/temporal*"), reverse=True)):
        if _is_new_enough(str(candidate)):
            return candidate
    return None


def _is_new_enough(program: str) -> bool:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return speaks_our_version(answer)


def speaks_our_version(answer: str) -> bool:
    """Reads `temporal version 1.8.2 (Server 1.31.2, UI ...)`; one built by `go install` names only its server."""
    line = re.search(r"temporal version (\d+)\.(\d+)", answer)
    server = re.search(r"Server v?(\d+)\.(\d+)", answer)
    if line and _pair(line) >= _OLDEST_CLI:
        return True
    return bool(line and _pair(line) == (0, 0) and server and _pair(server) >= _OLDEST_SERVER)


def _pair(match: re.Match[str]) -> tuple[int, int]:
    return int(match.group(1)), int(match.group(2))


def _download(workshop: Workshop) -> Path | None:
    """The SDK downloads when it starts a server; a job does that, and ends by itself when nothing arrives."""
    folder = _cache_root() / "sdk"
    folder.mkdir(parents=True, exist_ok=True)
    command = (sys.executable, "-m", "supervisor.sdk_download", str(folder))
    try:
        workshop.run(Spec("sdk-download", command, folder=ROOT, stop_seconds=1), _DOWNLOAD_SECONDS)
    except CannotStart:
        workshop.say("the official CLI cannot be downloaded from here")
    return _cached()


def _build(workshop: Workshop, program: str) -> Path:
    target = cache() / program
    if target.exists():
        return target
    go = builder.installed_go()
    if go is None:
        raise CannotStart(
            "no Temporal: install its CLI >= 1.5 on PATH, or Go >= 1.24 to build it, or set TEMPORAL_ADDRESS"
            if program == "temporal"
            else "the cluster engine is built by Go: install Go >= 1.24, or set TEMPORAL_ADDRESS"
        )
    workshop.say(f"building {program} with Go, once for this machine; takes some minutes")
    command = (sys.executable, "-m", "supervisor.builder", go, program, str(target))
    workshop.run(Spec(f"build-{program}", command, folder=ROOT, stop_seconds=2), _BUILD_SECONDS)
    return target
