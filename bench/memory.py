"""How much memory a process has ever held."""

from __future__ import annotations

from pathlib import Path


def peak_megabytes(pid: int) -> float:
    """The most memory that the process ever had, in 10^6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6
