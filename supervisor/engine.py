"""The two ways Temporal runs beside us: the CLI's development server on a file, or the real server on Postgres."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from supervisor.home import Home
from supervisor.process import Spec

DEV = "dev"
CLUSTER = "cluster"
EXTERNAL = "external"
NONE = "none"
"""No processes at all: for a stand that only asks requests."""
NAMES = (DEV, CLUSTER)

DYNAMIC_CONFIG: dict[str, int | bool | str] = {
    # One node: a second partition only means that a task may wait in the wrong one.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    # A purchase order takes an Update per delivery, and callers repeat themselves; the defaults are 10 and 2,000.
    "history.maxInFlightUpdates": 500,
    "history.maxTotalUpdates": 10_000,
    # A burst of abandoned baskets ends in one second.
    "frontend.namespaceRPS": 10_000,
    "frontend.namespaceRPS.visibility": 200,
    "system.forceSearchAttributesCacheRefreshOnRead": True,
}


@dataclass(frozen=True)
class Engine:
    """A Temporal that the supervisor runs: its part, where it answers, and what to do once it has answered."""

    name: str
    spec: Spec
    address: str
    settled: Callable[[], None]


def dev(home: Home, *, program: Path, ports: dict[str, int], namespace: str) -> Engine:
    """The CLI's server with its state in `temporal.db` below the home."""
    database, marker = home.path / "temporal.db", home.path / "temporal.complete"

    def drop_half_made() -> None:
        # The server makes its tables only together with the file, so a start that was killed in between never mends.
        if not marker.exists():
            for file in home.path.glob("temporal.db*"):
                file.unlink()

    values = [
        w for name, value in DYNAMIC_CONFIG.items() for w in ("--dynamic-config-value", f"{name}={json.dumps(value)}")
    ]
    ports_words = [
        w for name in ("temporal", "temporal-http", "temporal-metrics") for w in (_PORT_FLAG[name], str(ports[name]))
    ]
    command = (str(program), "server", "start-dev", "--headless", "--ip", "127.0.0.1", *ports_words, *_DEV_WORDS)
    storage = ("--db-filename", str(database), "--namespace", namespace)
    return Engine(
        DEV,
        Spec("temporal", (*command, *storage, *values), folder=home.path, before_start=drop_half_made),
        f"127.0.0.1:{ports['temporal']}",
        marker.touch,
    )


_PORT_FLAG = {"temporal": "--port", "temporal-http": "--http-port", "temporal-metrics": "--metrics-port"}
_DEV_WORDS = (
    "--log-level=warn",
    "--log-format=text",
    # A killed process loses nothing in either mode; the log makes commits wait for one write instead of three.
    "--sqlite-pragma=journal_mode=WAL",
    "--sqlite-pragma=synchronous=NORMAL",
)
