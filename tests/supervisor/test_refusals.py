"""What stands in the way of a start is said in one line, before anything of ours is touched."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from settings import ROOT, Settings
from supervisor import base, reset
from supervisor.errors import CannotStart
from supervisor.home import Home, Lock
from tests import ground
from tests.ground import Clone


@pytest.fixture
def database(worker_id: str) -> Iterator[Clone]:
    with ground.clone(f"refusals_{worker_id}") as clone:
        yield clone


def migrated(url: str, home: Path) -> str:
    return base.migrate(Settings(home=home), home=Home(home), owner_url=url)


def test_a_database_with_strangers_tables_is_refused(database: Clone, tmp_path: Path) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for (schema,) in connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        connection.execute("CREATE SCHEMA public")
        connection.execute("CREATE TABLE customers_of_somebody_else (id int)")

    with pytest.raises(CannotStart, match=r"^[^\n]+$"):
        migrated(database.owner_url, tmp_path)


def test_a_schema_of_a_later_release_is_refused(database: Clone, tmp_path: Path) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")

    with pytest.raises(CannotStart, match=r"^[^\n]+$"):
        migrated(database.owner_url, tmp_path)


def test_a_current_database_is_taken_as_it_is(database: Clone, tmp_path: Path) -> None:
    app_url = migrated(database.owner_url, tmp_path)

    with psycopg.connect(app_url) as connection:
        assert connection.execute("SELECT count(*) FROM tenants").fetchone() == (0,)


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match="set ALLOTMENT_HOME to a folder that is yours"):
        Home(tmp_path / "file" / "home").make()


def test_a_setting_that_cannot_be_meant_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    answer = subprocess.run(
        (sys.executable, "-m", "cli", "up"),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ALLOTMENT_HOME": str(tmp_path), "ALLOTMENT_RESERVATION_WINDOW": "soon"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("allotment: reservation_window: ")


def test_resetting_a_home_in_use_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    lock = Lock(home)
    lock.take()

    with pytest.raises(CannotStart, match="is in use by the instance with pid"):
        reset.reset(Settings(home=tmp_path))
    lock.release()


def test_resetting_leaves_nothing_but_what_is_not_ours(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    (home.path / "temporal.db").touch()
    (home.path / "notes.txt").touch()

    reset.reset(Settings(home=home.path))

    assert [path.name for path in home.path.iterdir()] == ["notes.txt"]
