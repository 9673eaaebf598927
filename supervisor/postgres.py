"""The embedded cluster: made once, started in the foreground on a loopback port, put right after a kill."""

import locale
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from supervisor import leftovers, postgres_binaries, postgres_place
from supervisor.errors import CannotStart
from supervisor.files import kept_secret
from supervisor.home import Home
from supervisor.postgres_binaries import OLDEST, Binaries
from supervisor.postgres_place import Place, password_file
from supervisor.process import Spec

OWNER = "allotment"
DATABASE = "allotment"
_BUILTIN_LOCALE = 17
"""The first version that knows C.UTF-8 by itself, without the system's help."""

# For two cores and a few gigabytes, with room for an on-sale's burst of writes between two checkpoints.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "min_wal_size": "160MB",
    "wal_compression": "on",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "10min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "client_connection_check_interval": "5s",
    "deadlock_timeout": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass(frozen=True)
class Cluster:
    """One home's cluster: where it lies, what runs it, where it answers."""

    home: Home
    place: Place
    binaries: Binaries
    port: int

    def url(self, database: str = DATABASE) -> str:
        """The owner's connection, password included."""
        return f"postgresql://{OWNER}:{kept_secret(password_file(self.home))}@127.0.0.1:{self.port}/{database}"

    def spec(self) -> Spec:
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = (self.binaries.path("postgres"), "-D", str(self.place.data), "-p", str(self.port), *settings)
        return Spec(
            "postgres",
            command,
            environment=self.binaries.environment(),
            account=self.place.account,
            stop_signal=signal.SIGINT,
            before_start=self.end_survivors,
        )

    def end_survivors(self) -> None:
        """Ends what still runs on the data directory, so that a new postmaster may take its shared memory."""
        data = str(self.place.data.resolve())
        leftovers.end(leftovers.in_folder(data), first=signal.SIGQUIT, seconds=1)
        if not leftovers.in_folder(data):
            (self.place.data / "postmaster.pid").unlink(missing_ok=True)


def prepare(home: Home, *, port: int) -> Cluster:
    """Finds place and binaries. Raises CannotStart with what to install or remove."""
    place = postgres_place.find(home)
    binaries = postgres_binaries.choose(major=place.data_major())
    return Cluster(home, place, postgres_place.reachable(binaries, account=place.account), port)


def initialise(cluster: Cluster, *, run: Callable[[Spec], None]) -> None:
    """Makes the data directory in one step: UTF-8, C collation, checksums, passwords hashed; a half-made one is redone."""
    place = cluster.place
    if place.data_major() is not None:
        return
    if place.data.exists():
        raise CannotStart(
            f"{place.data} holds something that is not a Postgres cluster; move it away, or: allotment reset"
        )
    half = place.folder / "data.new"
    shutil.rmtree(half, ignore_errors=True)
    secret = place.folder / "password.new"
    secret.write_text(kept_secret(password_file(cluster.home)))
    try:
        _hand_over(secret, cluster)
        run(_initdb(cluster, half, secret))
        half.rename(place.data)
    finally:
        secret.unlink(missing_ok=True)


def answers(url: str) -> bool:
    """Whether a query gets through."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def create_database(url: str, name: str, *, owner: str | None = None) -> None:
    """Creates the database where it is missing; `url` is a superuser's, to any other database."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if owner:
                statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
            connection.execute(statement)


def require_external(url: str) -> None:
    """Raises CannotStart when DATABASE_URL does not answer or is too old."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise CannotStart(f"DATABASE_URL does not answer: {reason}") from None
    if version < OLDEST * 10_000:
        raise CannotStart(f"DATABASE_URL is PostgreSQL {version // 10_000}; version {OLDEST} or newer is needed")


def _initdb(cluster: Cluster, target: Path, secret: Path) -> Spec:
    # Code point order everywhere; letters change case by Unicode, which plain C does not know.
    words: tuple[str, ...]
    if cluster.binaries.major >= _BUILTIN_LOCALE:
        words = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    else:
        words = ("--lc-collate=C", f"--lc-ctype={_c_type()}", "--lc-messages=C", "--locale=C")
    options = (
        "--encoding=UTF8",
        "--data-checksums",
        "--auth=scram-sha-256",
        "--no-instructions",
        f"--username={OWNER}",
    )
    command = (cluster.binaries.path("initdb"), "-D", str(target), *words, *options, f"--pwfile={secret}")
    return Spec("initdb", command, environment=cluster.binaries.environment(), account=cluster.place.account)


def _c_type() -> str:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"


def _hand_over(file: Path, cluster: Cluster) -> None:
    file.chmod(0o600)
    if cluster.place.account:
        os.chown(file, cluster.place.account.uid, cluster.place.account.gid)
