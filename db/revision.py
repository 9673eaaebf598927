"""The newest schema revision this release knows, told by the migrations' file names, without loading Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).parents[1] / "migrations" / "versions"


@cache
def head() -> str:
    """The newest revision: files are named `<revision>_<words>.py`, in order."""
    return max(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))
