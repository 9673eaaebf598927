"""The migrated schema is the one the tables describe, and its checks are the machines'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import CheckConstraint, NullPool, create_engine, make_url

from db import migrate
from db.tables import metadata
from domain.booking import BOOKING, TICKET, PaymentStatus
from domain.refunds import REFUND
from domain.seating import EVENT, OWNERSHIP, SEAT
from tests import ground
from tests.conftest import CloneMaker
from tests.ground import Clone

Connection = psycopg.Connection[Any]


@pytest.fixture
def empty_database(worker_name: str) -> Iterator[str]:
    """The owner's way to a database without a single table."""
    origin = ground.template()
    name = f"{origin.name}_{worker_name}_empty"
    with psycopg.connect(origin.sibling("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield origin.sibling(name)
        ground.drop_database(connection, name)


def differences(url: str) -> list[Any]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return [one for one in found if "alembic_version" not in str(one)]


def test_the_migrated_schema_is_what_the_tables_describe(clone: Clone) -> None:
    assert differences(clone.owner_url) == []


def test_a_column_that_only_one_side_knows_is_seen(another_clone: CloneMaker) -> None:
    other = another_clone()
    with psycopg.connect(other.owner_url) as connection:
        connection.execute("ALTER TABLE events ADD COLUMN stowaway text; ALTER TABLE venues ALTER name TYPE varchar(9)")

    assert len(differences(other.owner_url)) == 2


def test_the_plain_sql_of_the_tables_is_up_to_date(owner_connection: Connection) -> None:
    """The checks too, which Alembic does not compare."""
    rows = owner_connection.execute(
        """SELECT c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
           WHERE c.contype = 'c' AND n.nspname = 'public'"""
    ).fetchall()
    described = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }

    assert {name for name, _ in rows} == {name if name.startswith("ck_") else f"ck_{name}" for name in described}


@pytest.mark.parametrize(
    ("constraint", "states"),
    [
        ("ck_event_seats_status", SEAT.states),
        ("ck_event_seats_ownership_status", OWNERSHIP.states),
        ("ck_events_status", [state for state in EVENT.states if EVENT.verbs(state)]),
        ("ck_bookings_status", BOOKING.states),
        ("ck_bookings_payment_status", list(PaymentStatus)),
        ("ck_tickets_status", TICKET.states),
        ("ck_refunds_status", REFUND.states),
    ],
)
def test_a_check_allows_the_states_of_its_machine_and_no_other(
    owner_connection: Connection, constraint: str, states: list[str]
) -> None:
    row = owner_connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
    ).fetchone()
    assert row is not None

    assert set(re.findall(r"'([^']+)'::text", row[0])) == {str(state) for state in states}


def test_migrating_again_changes_nothing(another_clone: CloneMaker) -> None:
    other = another_clone()

    migrate.upgrade(other.owner_url)

    assert migrate.current(other.owner_url) == migrate.head()


def test_an_empty_database_is_brought_to_the_newest_tables(empty_database: str, tmp_path: Path) -> None:
    migrate.upgrade(empty_database)
    first = migrate.ensure_app_role(empty_database, tmp_path)
    second = migrate.ensure_app_role(empty_database, tmp_path)

    with psycopg.connect(first) as connection:
        timeout = connection.execute("SHOW statement_timeout").fetchone()
    assert first == second
    assert timeout == ("20s",)
    assert (tmp_path / "app-role-password").stat().st_mode & 0o777 == 0o600


def test_a_foreign_database_is_left_alone(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE invoices (id int)")

    with pytest.raises(migrate.ForeignDatabase, match="1 tables that are not ours"):
        migrate.upgrade(empty_database)

    assert migrate.current(empty_database) is None


def test_a_newer_schema_is_left_alone(another_clone: CloneMaker) -> None:
    other = another_clone()
    with psycopg.connect(other.owner_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.NewerSchema, match="newer than this release"):
        migrate.upgrade(other.owner_url)


def test_text_compares_by_code_point(owner_connection: Connection) -> None:
    row = owner_connection.execute(
        "SELECT array_agg(t ORDER BY t) FROM unnest(ARRAY['b', 'B', 'Ä', 'a', '1']) t"
    ).fetchone()

    assert row == (["1", "B", "a", "b", "Ä"],)
