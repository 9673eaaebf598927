"""What a run found, kept as JSON: `bench/results/latest.json` and one file per run, with machine, date and commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.row import Figure, Row
from settings import ROOT

FOLDER = ROOT / "bench" / "results"
LATEST = FOLDER / "latest.json"
CONDITIONS = FOLDER / "conditions.json"
WRITTEN = ("bench/results", "prove/results", "PERFORMANCE.md", "RELIABILITY.md", "docs/scaling.md")
"""What measuring itself changes: it makes a commit no other."""

Line = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A row and its figure."""

    row: Row
    figure: Figure

    def line(self) -> Line:
        """As `latest.json` lists it."""
        row, figure = self.row, self.figure
        return {
            "row": row.name,
            "value": _rounded(figure.value),
            "unit": row.unit,
            "anchor": None if figure.anchor is None else _rounded(figure.anchor),
            "ratio": None if figure.ratio is None else _rounded(figure.ratio),
            "floor": row.floor,
            "target": row.target,
            "judged": str(row.judged),
            "holds": row.reaches(figure, row.floor),
            "reached": row.reaches(figure, row.target),
            "notes": {name: _rounded(v) if isinstance(v, float) else v for name, v in figure.notes.items()},
        }


def conditions() -> Line:
    """Machine, date and commit of this run."""
    with Path("/proc/cpuinfo").open() as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".", *(f":!{page}" for page in WRITTEN)))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD") + (" and changes" if dirty else ""),
        "cores": os.cpu_count(),
        "processor": model,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def machine(where: Mapping[str, Any]) -> str:
    """The machine of a run, in words."""
    return f"{where['cores']} cores ({where['processor']}), {where['memory_gib']} GiB, {where['system']}"


def keep(found: list[Found], where: Line) -> None:
    """Write the run's file, and lay its rows over those of `latest.json`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [one.line() for one in found]
    stamp = where["date"].replace(":", "").replace("-", "")[:15]
    _write(FOLDER / f"run-{stamp}.json", {"conditions": where, "rows": lines})
    now = {line["row"]: {**line, "commit": where["commit"], "date": where["date"]} for line in lines}
    known = json.loads(LATEST.read_text()) if LATEST.exists() else []
    merged = [now.pop(line["row"], line) for line in known] + list(now.values())
    _write(LATEST, merged)
    _write(CONDITIONS, where)


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _git(*words: str) -> str:
    try:
        return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
