"""Builds programs from modules pinned below tools/, once, however many ask at the same time; for Temporal a job of its own."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from settings import ROOT

TEMPORAL = ROOT / "tools" / "temporal"
PACKAGES = {
    "temporal": "github.com/temporalio/cli/cmd/temporal",
    "server": "go.temporal.io/server/cmd/server",
    "sql": "go.temporal.io/server/cmd/tools/sql",
}


def installed_go() -> str | None:
    """Go on PATH, or where its own installers put it; None where there is none."""
    usual = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
    return shutil.which("go") or next((path for path in usual if Path(path).exists()), None)


def pin(module: Path) -> str:
    """What names a module's pinned sources: a new pin builds anew, an old one stays for other clones."""
    return hashlib.sha256((module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()).hexdigest()[:12]


def build(go: str, *, module: Path, package: str, target: Path) -> int:
    """Returns Go's exit status; the target appears whole or not at all, and a second builder waits for the first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return 0
        for abandoned in target.parent.glob(f".building-{target.name}-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".building-{target.name}-", dir=target.parent) as folder:
            half = Path(folder) / target.name
            status = subprocess.run(
                [go, "build", "-trimpath", "-o", str(half), package],
                cwd=module,
                env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"},
                check=False,
            ).returncode
            if status == 0:
                half.replace(target)
            return status


def _end_together(_number: int, _frame: object) -> None:
    """Go and its compilers are in our session; they must not outlive us."""
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_together)
    sys.exit(build(sys.argv[1], module=TEMPORAL, package=PACKAGES[sys.argv[2]], target=Path(sys.argv[3])))
