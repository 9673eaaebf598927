"""Our own processes: what each is called, what it is started with, and how long it may take to end."""

import os
import sys
import tomllib
from pathlib import Path

from settings import ROOT, Settings
from supervisor.process import Spec

WORKERS = {"worker-1": ("core", "bulk"), "worker-documents": ("documents",)}
METERED = ("worker-1", "worker-documents", "dispatcher")
"""Parts without HTTP of their own, which show their figures on a port each."""
STOP_ORDER = (
    ("api",),
    (*WORKERS, "dispatcher"),
    ("temporal", "provider", "mail"),
    ("postgres",),
)
"""Who takes requests goes first, who holds the facts goes last."""


def provider(environment: dict[str, str]) -> Spec:
    return _part("provider", ("provider",), environment, seconds=3)


def mail(environment: dict[str, str]) -> Spec:
    return _part("mail", ("mail",), environment, seconds=3)


def api(environment: dict[str, str], *, name: str = "api") -> Spec:
    return _part(name, ("api",), environment, seconds=3)


def dispatcher(environment: dict[str, str]) -> Spec:
    return _part("dispatcher", ("dispatcher",), environment, seconds=10)


def worker(name: str, environment: dict[str, str], *, queues: tuple[str, ...] = ()) -> Spec:
    words = [word for queue in queues or WORKERS[name] for word in ("--queue", queue)]
    return _part(name, ("worker", "--name", name, *words), environment, seconds=10)


def seed(environment: dict[str, str]) -> Spec:
    return _part("seed", ("seed",), environment, seconds=2)


def registrar(name: str, *words: str) -> Spec:
    return Spec(name, (sys.executable, "-m", "supervisor.registrar", *words), folder=ROOT, stop_seconds=1)


def metrics_port_name(part: str) -> str:
    return f"{part}-metrics"


def metered(environment: dict[str, str], part: str, ports: dict[str, int]) -> dict[str, str]:
    return {**environment, "ALLOTMENT_METRICS_PORT": str(ports[metrics_port_name(part)])}


def build_id(settings: Settings) -> str:
    """The release: what the environment says, else the version in pyproject.toml."""
    if "build_id" in settings.model_fields_set:
        return settings.build_id
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def base_environment(home: Path, *, port: int, is_demo: bool) -> dict[str, str]:
    """What every part is told besides the addresses of the others."""
    return {
        "ALLOTMENT_HOME": str(home),
        "ALLOTMENT_PORT": str(port),
        "ALLOTMENT_DEMO": "1" if is_demo else "0",
        "PYTHONUNBUFFERED": "1",
        # Fontconfig's and WeasyPrint's caches want a folder of this user; a service account often has none.
        "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR") or str(home / "run"),
    }


def _part(name: str, words: tuple[str, ...], environment: dict[str, str], *, seconds: float) -> Spec:
    command = (sys.executable, "-m", "cli", *words)
    return Spec(name, command, environment=environment, folder=ROOT, stop_seconds=seconds)
