"""The Postgres that tests stand on: one server per run for all workers, one migrated template, clones of it, nothing left.

The first worker that needs it starts a guardian process. The guardian owns the server and outlives the worker, but not
the run: when the run's own process is gone, however it went, the guardian stops the server and removes its folder.
With DATABASE_URL the server is somebody else's, and what was made on it is dropped at the end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db import migrate
from supervisor import ports, postgres, postgres_place
from supervisor.home import Home
from supervisor.process import Child, Spec

ROOT = Path(__file__).parents[1]
FOLDER = "ALLOTMENT_TEST_GROUND"
"""The variable that names the run's folder; set once by the run's own process, inherited by its workers."""

PREFIX = "allotment-tests-"

# Nobody asks this server to survive a power cut.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=512MB", "log_lock_waits=off")


@dataclass(frozen=True)
class Template:
    """A migrated database nobody works in, and the owner's way to its server."""

    url: str

    @property
    def name(self) -> str:
        """The database's name."""
        return str(make_url(self.url).database)

    def sibling(self, name: str) -> str:
        """The owner's way to another database of the server."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


@dataclass(frozen=True)
class Clone:
    """A database of the test's own: the owner's way in, and the application's."""

    owner_url: str
    app_url: str


def begin_run() -> None:
    """Name the run's folder; in a worker of a run it has a name already."""
    if FOLDER not in os.environ:
        sweep()
        folder = tempfile.mkdtemp(prefix=PREFIX)
        Path(folder).chmod(0o755)
        (Path(folder) / "run.pid").write_text(str(os.getpid()))
        os.environ[FOLDER] = folder


def sweep() -> None:
    """Drop the folders of runs that were killed before they had a guardian."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pids = [int(file.read_text() or 0) for file in folder.glob("*.pid")]
        if pids and not any(map(is_alive, pids)):
            shutil.rmtree(folder, ignore_errors=True)


def end_run() -> None:
    """Stop the guardian, or drop what was made on somebody else's server."""
    folder = Path(os.environ[FOLDER])
    if (folder / "guardian.pid").exists():
        (folder / "stop").touch()
        wait_until(lambda: not (folder / "guardian.pid").exists(), seconds=20)
    elif (folder / "template.json").exists():
        drop_all(template())
    del os.environ[FOLDER]
    shutil.rmtree(folder, ignore_errors=True)


def template() -> Template:
    """The run's template; whoever comes first makes it while the others wait."""
    folder = Path(os.environ[FOLDER])
    made = folder / "template.json"
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not made.exists():
            url = os.environ.get("DATABASE_URL") or start_server(folder)
            made.write_text(json.dumps(asdict(make_template(url))))
    return Template(**json.loads(made.read_text()))


def make_template(url: str) -> Template:
    """A migrated database on this server."""
    name = f"allotment_test_{os.getpid()}"
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    postgres.create_database(plain, name)
    found = Template(Template(plain).sibling(name))
    migrate.upgrade(found.url)
    return found


@contextmanager
def clone(name: str) -> Iterator[Clone]:
    """A copy of the template with roles of its own, dropped afterwards."""
    origin = template()
    database = f"{origin.name}_{name}"
    with psycopg.connect(origin.sibling("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (database, origin.name)))
        )
        for group in ("rights", "auditor"):
            # Grants and policies name the template's roles: the copy's are members of those.
            role, parent = sql.Identifier(f"{database}_{group}"), sql.Identifier(f"{origin.name}_{group}")
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN IN ROLE {}").format(role, parent))
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    owner_url = origin.sibling(database)
    with tempfile.TemporaryDirectory() as home:
        yield Clone(owner_url, migrate.ensure_app_role(owner_url, Path(home)))
    with psycopg.connect(origin.sibling("postgres"), autocommit=True) as connection:
        drop_database(connection, database)


def drop_all(origin: Template) -> None:
    """The template and every copy an interrupted test has left."""
    with psycopg.connect(origin.sibling("postgres"), autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY datname DESC"
        for (name,) in connection.execute(query, [f"{origin.name}%"]).fetchall():
            drop_database(connection, name)


def drop_database(connection: psycopg.Connection[Any], name: str) -> None:
    """A database and the roles named after it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    for role in ("app", "rights", "auditor"):
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{role}")))


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Poll; TimeoutError when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the test server did not do as it was told")
        time.sleep(0.02)


def start_server(folder: Path) -> str:
    """Start the guardian; returns the owner's URL once its server answers."""
    log = folder / "guardian.log"
    with log.open("wb") as output:
        guardian = subprocess.Popen(
            [sys.executable, "-m", "tests.ground", str(folder), (folder / "run.pid").read_text()],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = folder / "server.url"
    wait_until(lambda: url.exists() or guardian.poll() is not None, seconds=90)
    if not url.exists():
        raise RuntimeError(f"no Postgres for the tests:\n{log.read_text()}")
    guardian.returncode = 0  # It is left alone on purpose; Python need not warn of that.
    return url.read_text()


def guard(folder: Path, run: int) -> None:
    """Run the server for as long as the run lasts."""
    (folder / "guardian.pid").write_text(str(os.getpid()))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home = Home(folder / "home")
    home.make()
    try:
        with a_server(home) as (cluster, server):
            half = folder / "server.half"
            half.write_text(cluster.url("postgres"))
            half.rename(folder / "server.url")
            while not (folder / "stop").exists() and is_alive(run) and not server.has_ended():
                time.sleep(0.1)
    finally:
        (folder / "guardian.pid").unlink(missing_ok=True)
        if not is_alive(run):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_server(home: Home) -> Iterator[tuple[postgres.Cluster, Child]]:
    """A fresh Postgres in this home, until the block ends."""
    cluster = postgres.prepare(home, port=ports.assign(home.run / "ports.json", ["postgres"])["postgres"])
    postgres.initialise(cluster, run=run_to_its_end)
    spec = cluster.spec()
    extra = tuple(word for setting in HASTY for word in ("-c", setting))
    server = Child(replace(spec, command=spec.command + extra), home=home)
    try:
        wait_until(lambda: server.has_ended() or postgres.answers(cluster.url("postgres")), seconds=60)
        yield cluster, server
    finally:
        server.ask_to_end()
        wait_until(server.has_ended, seconds=10)
        postgres_place.forget(home)


def run_to_its_end(spec: Spec) -> None:
    """A short program of the server's, with the account it needs."""
    account = spec.account
    subprocess.run(
        spec.command,
        check=True,
        cwd=spec.folder,
        env={**os.environ, **spec.environment},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def is_alive(pid: int) -> bool:
    """Whether the process still runs; one that only waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    guard(Path(sys.argv[1]), int(sys.argv[2]))
