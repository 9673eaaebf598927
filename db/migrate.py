"""Brings a database to this release's schema and makes the role the application works as."""

from __future__ import annotations

import secrets
from pathlib import Path

import psycopg
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Engine, NullPool, create_engine, make_url

ROOT = Path(__file__).parents[1]

# The application's patience: nothing it does in one statement may hold the others up for long.
ROLE_SETTINGS = {
    "statement_timeout": "20s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}


class ForeignDatabase(RuntimeError):
    """The database holds tables that are not ours."""


class NewerSchema(RuntimeError):
    """The database was migrated by a later release."""


def upgrade(owner_url: str) -> None:
    """Migrate to the newest revision, or refuse a database that is not ours or is ahead of us."""
    with _engine(owner_url).connect() as connection:
        _refuse_strangers(owner_url)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def run_steps(folder: str, *steps: str) -> None:
    """For a migration: run the plain SQL files of its folder in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in steps:
        driver.execute((ROOT / "migrations" / "sql" / folder / f"{step}.sql").read_text(encoding="utf-8"))


def current(owner_url: str) -> str | None:
    """The revision the database is at, None before the first migration."""
    with _engine(owner_url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision this release knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def ensure_app_role(owner_url: str, home: Path) -> str:
    """Make (or find) the login the application uses, its password kept in the home; returns its URL."""
    url = make_url(owner_url)
    name = f"{url.database}_app"
    password = _kept_password(home / "app-role-password")
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        verb = sql.SQL("ALTER" if known else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}").format(
                verb, sql.Identifier(name), sql.Literal(password)
            )
        )
    grant_rights(owner_url, name)
    return url.set(username=name, password=password).render_as_string(hide_password=False)


def login_of(url: str) -> str:
    """Whose URL it is; ValueError for one that names nobody."""
    name = make_url(url).username
    if not name:
        raise ValueError("ALLOTMENT_APP_DATABASE_URL names no user")
    return name


def _kept_password(path: Path) -> str:
    """The password kept there, made whole before it has its name: a start cut short leaves none or a good one."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        draft.rename(path)
    return path.read_text(encoding="utf-8")


def grant_rights(owner_url: str, login: str) -> None:
    """Give a login what the application may do, and the application's patience."""
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:
        rights = f"{make_url(owner_url).database}_rights"
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(rights), sql.Identifier(login)))
        for setting, value in ROLE_SETTINGS.items():
            connection.execute(
                sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(login),
                    sql.Identifier(str(make_url(owner_url).database)),
                    sql.Identifier(setting),
                    sql.Literal(value),
                )
            )


def _refuse_strangers(owner_url: str) -> None:
    revision = current(owner_url)
    database = make_url(owner_url).database
    if revision is None:
        with psycopg.connect(_plain(owner_url)) as plain:
            row = plain.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if row and row[0]:
            raise ForeignDatabase(
                f"database {database} already holds {row[0]} tables that are not ours: name an empty one in DATABASE_URL"
            )
    elif revision not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise NewerSchema(f"database {database} is at revision {revision}, newer than this release: start that release")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def _engine(url: str) -> Engine:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
