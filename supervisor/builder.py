"""A job of its own: builds one program of tools/temporal into the cache, once, however many ask at the same time."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from settings import ROOT

PACKAGES = {
    "temporal": "github.com/temporalio/cli/cmd/temporal",
    "server": "go.temporal.io/server/cmd/server",
    "sql": "go.temporal.io/server/cmd/tools/sql",
}


def build(go: str, *, program: str, target: Path) -> int:
    """Returns Go's exit status; the target appears whole or not at all, and a second builder waits for the first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{program}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return 0
        for abandoned in target.parent.glob(f".building-{program}-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".building-{program}-", dir=target.parent) as folder:
            half = Path(folder) / program
            status = subprocess.run(
                [go, "build", "-trimpath", "-o", str(half), PACKAGES[program]],
                cwd=ROOT / "tools" / "temporal",
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
    sys.exit(build(sys.argv[1], program=sys.argv[2], target=Path(sys.argv[3])))
