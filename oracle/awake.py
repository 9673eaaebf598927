"""Since when the house is awake: every part that must be at work before anything can be late; or which of them is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from settings import Settings

# Our own parts, and what each is called in the database: under `allotment up`, and where containers start it.
OURS: Mapping[str, Sequence[str]] = {
    "dispatcher": ("dispatcher",),
    "worker-1": ("worker-1", "worker"),
    "worker-documents": ("worker-documents",),
}
# Services that may be somebody else's: without a pid file of ours an answer is all that there is to know.
SERVICES = ("temporal", "provider")
_SEEN = """SELECT application_name, min(backend_start) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = ANY(%s) AND backend_start IS NOT NULL GROUP BY application_name"""


@dataclass(frozen=True, kw_only=True)
class Awake:
    """Since when all the parts have been at work without a break; or None, and the parts that are not known to be."""

    since: datetime | None
    missing: Sequence[str] = ()


def awake(settings: Settings, *, answering: Collection[str]) -> Awake:
    """By the pid file of each part. One without such a file was not started here: it is asked for where it works.

    `answering` are the services that have just answered.
    """
    files = {part: settings.run_dir / f"{part}.pid" for part in (*OURS, *SERVICES)}
    here = {part: _running_since(file) for part, file in files.items() if file.exists()}
    elsewhere = _connected_since(settings) if OURS.keys() - here.keys() else {}
    since = {**{part: min(seen) for part in OURS if (seen := _of(part, elsewhere))}, **here}
    missing = [part for part in files if since.get(part) is None and (part in here or part not in answering)]
    known = [moment for moment in since.values() if moment is not None]
    return Awake(since=None if missing else max(known), missing=missing)


def _of(part: str, connected: Mapping[str, datetime]) -> list[datetime]:
    return [connected[name] for name in OURS[part] if name in connected]


def _running_since(pid_file: Path) -> datetime | None:
    """When the process that a pid file names was started; None when it does not run."""
    try:
        return datetime.fromtimestamp(psutil.Process(int(pid_file.read_text())).create_time(), UTC)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def _connected_since(settings: Settings) -> dict[str, datetime]:
    """Since when each of our parts holds a connection, by its name: a part that works always holds one, renewed hourly."""
    names = [name for known in OURS.values() for name in known]
    if settings.app_database_url is None:
        return {}
    try:
        # As the application: nobody else but a superuser is told when its connections began.
        with psycopg.connect(settings.app_database_url, application_name="allotment-oracle") as connection:
            return dict(connection.execute(_SEEN, (names,)).fetchall())
    except psycopg.OperationalError:
        return {}
