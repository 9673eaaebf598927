"""The Temporal that tests stand on: one server per run for all workers, a namespace for each of them, nothing left.

The first worker that needs it starts a guardian process, which owns the server and outlives the worker, but not the run.
ALLOTMENT_TEST_ENGINE says which server: `dev`, the CLI's with its state in memory, or `cluster`, the real one on Postgres.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from supervisor import cluster, engine, ports, registrar, temporal_binaries
from supervisor.engine import Engine
from supervisor.fetch import run_to_its_end, tell
from supervisor.home import Home
from supervisor.process import Child
from supervisor.temporal_binaries import Workshop
from tests import ground

VARIABLE = "ALLOTMENT_TEST_ENGINE"
ROOT = Path(__file__).parents[1]
PORTS = ("temporal", "temporal-http", "temporal-metrics", *cluster.PORTS)
BUILDING, STARTING = 1900, 90


def address() -> str:
    """Where the run's server answers; whoever comes first starts it while the others wait."""
    folder = Path(os.environ[ground.FOLDER])
    made = folder / "engine.address"
    with (folder / "engine.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not made.exists():
            start_server(folder)
    return made.read_text()


def namespace(worker_name: str) -> str:
    """A namespace of this worker's own on the run's server, taking requests."""
    name = f"tests-{worker_name}"
    asyncio.run(registrar.prepare_namespace(address(), namespace=name))
    return name


def start_server(folder: Path) -> None:
    """Start the guardian; returns once its server answers."""
    owner_url = ground.template().sibling("postgres") if chosen() == engine.CLUSTER else ""
    log = folder / "engine.log"
    with log.open("wb") as output:
        guardian = subprocess.Popen(
            [sys.executable, "-m", "tests.engine", str(folder), (folder / "run.pid").read_text(), owner_url],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    made = folder / "engine.address"
    ground.wait_until(lambda: made.exists() or guardian.poll() is not None, seconds=BUILDING)
    if not made.exists():
        raise RuntimeError(f"no Temporal for the tests:\n{log.read_text()}")
    guardian.returncode = 0  # It is left alone on purpose; Python need not warn of that.


def chosen() -> str:
    """Which server the run asks for."""
    name = os.environ.get(VARIABLE) or engine.DEV
    if name not in engine.NAMES:
        raise RuntimeError(f"{VARIABLE} is {name!r}; it may be {' or '.join(engine.NAMES)}")
    if name == engine.CLUSTER and "DATABASE_URL" in os.environ:
        raise RuntimeError("the cluster engine keeps its tables on the tests' own Postgres: unset DATABASE_URL")
    return name


def guard(folder: Path, run: int, owner_url: str) -> None:
    """Run the server for as long as the run lasts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home = Home(folder / "engine")
    home.make()
    numbers = ports.assign(home.run / "ports.json", PORTS)
    server = Child(prepared(home, numbers, owner_url).spec, home=home)
    try:
        where = f"127.0.0.1:{numbers['temporal']}"
        asyncio.run(registrar.prepare_namespace(where, namespace="default"))
        half = folder / "engine.half"
        half.write_text(where)
        half.rename(folder / "engine.address")
        while folder.exists() and not (folder / "stop").exists() and ground.is_alive(run) and not server.has_ended():
            time.sleep(0.1)
    finally:
        server.kill()
        shutil.rmtree(home.path, ignore_errors=True)
        if not ground.is_alive(run):
            shutil.rmtree(folder, ignore_errors=True)


class OwnServer:
    """A development server of one test's own, with a file, so that it can be killed and comes back knowing everything."""

    def __init__(self, folder: Path) -> None:
        self._home = Home(folder)
        self._home.make()
        numbers = ports.assign(self._home.run / "ports.json", PORTS)
        program = temporal_binaries.command_line(Workshop(run=run_to_its_end, say=tell))
        self._engine = engine.dev(self._home, program=program, ports=numbers, namespace="default")
        self._server: Child | None = None

    @property
    def address(self) -> str:
        return self._engine.address

    def start(self) -> None:
        """Start it, or start it again; returns when it takes requests."""
        self._server = Child(self._engine.spec, home=self._home)
        asyncio.run(registrar.prepare_namespace(self.address, namespace="default"))
        self._engine.settled()

    def kill(self) -> None:
        """SIGKILL."""
        if self._server is not None:
            self._server.kill()
            self._server = None


def prepared(home: Home, numbers: dict[str, int], owner_url: str) -> Engine:
    """The server that was asked for, its programs built and its tables made."""
    workshop = Workshop(run=run_to_its_end, say=tell)
    if chosen() == engine.DEV:
        program = temporal_binaries.command_line(workshop)
        return in_memory(engine.dev(home, program=program, ports=numbers, namespace="default"))
    server, tool = temporal_binaries.server_and_schema_tool(workshop)
    cluster.install(home, tool=tool, owner_url=owner_url, run=lambda spec: run_to_its_end(spec, STARTING))
    return cluster.cluster(home, server=server, ports=numbers, owner_url=owner_url)


def in_memory(found: Engine) -> Engine:
    """The development server without its file: nobody asks this one to survive anything."""
    words = list(found.spec.command)
    file = words.index("--db-filename")
    kept = [word for word in (*words[:file], *words[file + 2 :]) if not word.startswith("--sqlite-pragma")]
    return replace(found, spec=replace(found.spec, command=tuple(kept)))


if __name__ == "__main__":
    guard(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
