"""Which parts a stand has, how many of each, and what each is told besides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = "stand.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `python -m stand` is to bring up in its home; kept in the home, so that a second start is the same house.

    `engine` is `dev`, `cluster` or `none`. Without an engine there are neither workers nor a dispatcher.
    `told` holds more variables by the name of a part (`api-1`, `worker-2`, ...); `commands` another module than `cli`
    that a part is run as (`{"worker-1": "prove.worker"}`); `detours` the port by which a part reaches a service instead
    of the service's own (`{"worker-1": {"postgres": 21000}}`); `checkouts` the folder of another release that a part is
    run from. `build_id` is what the workers say they are.
    """

    engine: str = "cluster"
    apis: int = 1
    workers: int = 1
    provider: bool = True
    mail: bool = True
    window: str = "PT15M"
    grace: str = "PT2M"
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    detours: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    checkouts: Mapping[str, str] = field(default_factory=dict)
    build_id: str = "stand"

    @property
    def api_names(self) -> tuple[str, ...]:
        """`api-1`, `api-2`, ..."""
        return tuple(f"api-{number}" for number in range(1, self.apis + 1))

    @property
    def worker_names(self) -> tuple[str, ...]:
        """`worker-1`, ..., then the one of documents; none without an engine."""
        if self.engine == "none":
            return ()
        return (*(f"worker-{number}" for number in range(1, self.workers + 1)), "worker-documents")

    def keep(self, home: Path) -> None:
        """Write it into the home."""
        home.mkdir(parents=True, exist_ok=True)
        (home / FILE).write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def kept(cls, home: Path) -> Plan:
        """The home's plan. Raises FileNotFoundError when it has none."""
        return cls(**json.loads((home / FILE).read_text()))
