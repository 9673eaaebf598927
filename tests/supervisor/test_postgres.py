"""The embedded cluster: what it is made like, and which binaries serve."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from supervisor import postgres, postgres_binaries
from supervisor.errors import CannotStart
from supervisor.home import Home
from supervisor.ports import free_port
from supervisor.postgres import Cluster
from supervisor.process import Child, Spec
from tests.supervisor.instance import eventually


@dataclass
class Started:
    cluster: Cluster
    child: Child


def run(spec: Spec) -> None:
    account = spec.account
    subprocess.run(
        spec.command,
        cwd=spec.folder,
        env={**os.environ, **spec.environment},
        check=True,
        capture_output=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


@pytest.fixture
def home(open_folder: Path) -> Home:
    home = Home(open_folder / "home")
    home.make()
    return home


@pytest.fixture
def started(home: Home) -> Iterator[Started]:
    cluster = postgres.prepare(home, port=free_port())
    postgres.initialise(cluster, run=run)
    child = Child(cluster.spec(), home=home)
    eventually(lambda: postgres.answers(cluster.url("postgres")))
    yield Started(cluster, child)
    child.ask_to_end()
    eventually(child.has_ended)


def test_it_is_unicode_in_code_point_order_durable_and_for_loopback_only(started: Started) -> None:
    shown = {}
    postgres.create_database(started.cluster.url("postgres"), "allotment")

    with psycopg.connect(started.cluster.url()) as connection:
        for name in ("server_encoding", "fsync", "full_page_writes", "listen_addresses", "unix_socket_directories"):
            shown[name] = connection.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index]
        order = connection.execute(
            "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B,Ä,12A,2}'::text[]) x"
        ).fetchone()
        collation = connection.execute("SELECT datcollate FROM pg_database WHERE datname = 'allotment'").fetchone()

    assert shown == {
        "server_encoding": "UTF8",
        "fsync": "on",
        "full_page_writes": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
    }
    assert order == ("12A2BaÄ",)
    assert collation == ("C",)


def test_nobody_gets_in_without_the_password_which_only_the_owner_can_read(started: Started) -> None:
    home, port = started.cluster.home, started.cluster.port

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://allotment@127.0.0.1:{port}/postgres")

    assert (home.path / "postgres.password").stat().st_mode & 0o077 == 0
    assert not list(started.cluster.place.folder.glob("password*"))


def test_a_database_is_made_once(started: Started) -> None:
    url = started.cluster.url("postgres")

    postgres.create_database(url, "twice")
    postgres.create_database(url, "twice")

    with psycopg.connect(started.cluster.url("twice")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_initialisation_that_was_killed_is_begun_anew(home: Home) -> None:
    cluster = postgres.prepare(home, port=free_port())
    half = cluster.place.folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    postgres.initialise(cluster, run=run)

    assert cluster.place.data_major() == cluster.binaries.major
    assert not half.exists()


def test_a_folder_that_is_no_cluster_is_refused_in_one_line(home: Home) -> None:
    cluster = postgres.prepare(home, port=free_port())
    cluster.place.data.mkdir()

    with pytest.raises(CannotStart, match="not a Postgres cluster; move it away, or: allotment reset"):
        postgres.initialise(cluster, run=run)


def test_the_systems_binaries_serve_where_the_wheel_is_missing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    system = [Path(path).parents[1] for path in sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    if not system:
        pytest.skip("no Postgres of the system")
    monkeypatch.setattr(postgres_binaries, "_prefixes", lambda: iter(system))

    cluster = postgres.prepare(home, port=free_port())
    postgres.initialise(cluster, run=run)
    child = Child(cluster.spec(), home=home)

    eventually(lambda: postgres.answers(cluster.url("postgres")))
    with psycopg.connect(cluster.url("postgres")) as connection:
        assert connection.execute("SELECT lower('ÄB'), 'a' > 'B'").fetchone() == ("äb", True)
    child.ask_to_end()
    eventually(child.has_ended)


def test_data_of_a_version_that_is_not_installed_are_refused_in_one_line() -> None:
    with pytest.raises(CannotStart, match=r"the home's data are PostgreSQL 14's but only .* is installed; install"):
        postgres_binaries.choose(major=14)


def test_without_any_binaries_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_prefixes", lambda: iter(()))

    with pytest.raises(CannotStart, match="apt-get install postgresql"):
        postgres_binaries.choose()


def test_a_database_url_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(CannotStart, match=r"^DATABASE_URL does not answer: [^\n]+$"):
        postgres.require_external(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
