"""The walls between agencies: closed without a tenant, closed to another one, and nobody of the application may open them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql

from db.tables import metadata
from db.transaction import Database
from tests import ground
from tests.conftest import CloneMaker
from tests.ground import Clone
from tests.makers.access import Agency, an_agency
from tests.makers.rows import a_row

Connection = psycopg.Connection[Any]

WALLED = [*sorted(table.name for table in metadata.tables.values() if "tenant_id" in table.columns), "tenants"]
OPEN = {"alembic_version", "installation", "login_failures"}
"""The named exceptions: nobody's agency is known yet where these are needed."""

APPEND_ONLY = {
    "journal_entries",
    "journal_legs",
    "seat_movements",
    "history",
    "labels",
    "receipts",
    "receipt_lines",
    "receipt_seats",
    "bill_settlements",
    "ledger_stretches",
    "ledger_totals",
}
DOORS = {
    "authenticate",
    "due_outbox",
    "due_reservations",
    "ended_events",
    "find_family",
    "find_login",
    "find_refresh",
    "find_tenants",
    "next_event_end",
    "open_processes",
    "refresh_seat_figures",
    "unanswered_messages",
    "unmade_papers",
}


def seen(connection: Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def as_tenant(url: str, tenant_id: UUID | None) -> Connection:
    connection = psycopg.connect(url, autocommit=True)
    if tenant_id is not None:
        connection.execute("SELECT set_config('allotment.tenant', %s, false)", [str(tenant_id)])
    return connection


@dataclass(frozen=True)
class Ground:
    """A database with a row of Northside's in every table, and Harbour, which has nothing."""

    clone: Clone
    northside: UUID
    harbour: UUID

    def as_app(self, tenant_id: UUID | None) -> Connection:
        return as_tenant(self.clone.app_url, tenant_id)


@pytest.fixture(scope="module")
def filled(worker_name: str) -> Iterator[Ground]:
    with ground.clone(f"{worker_name}_walls") as made:
        with Database(made.app_url) as database:
            northside, harbour = an_agency(database), an_agency(database, name="Harbour")
        with psycopg.connect(made.owner_url, autocommit=True) as connection:
            for table in WALLED[:-1]:
                a_row(connection, table, tenant_id=northside.id)
        yield Ground(made, northside.id, harbour.id)


def test_every_table_of_an_agency_is_walled(owner_connection: Connection) -> None:
    tables = owner_connection.execute(
        """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"""
    ).fetchall()

    assert {name for name, _, _ in tables} == {*WALLED, *OPEN}
    assert {name for name, enabled, forced in tables if enabled and forced} == set(WALLED)
    assert {name for name, enabled, forced in tables if enabled or forced} == set(WALLED)


@pytest.mark.parametrize("table", WALLED)
def test_a_wall_has_one_gate_for_its_agency_and_a_window_for_the_auditor(
    owner_connection: Connection, table: str
) -> None:
    policies = owner_connection.execute(
        "SELECT policyname, cmd, permissive, roles::text, qual, with_check FROM pg_policies WHERE tablename = %s ORDER BY 1",
        [table],
    ).fetchall()

    column = "id" if table == "tenants" else "tenant_id"
    gate = f"({column} = current_tenant())"
    assert [(name, cmd) for name, cmd, *_ in policies] == [("audit", "SELECT"), ("own_agency", "ALL")]
    assert policies[0][3].endswith("_auditor}")
    assert policies[1][2:] == ("PERMISSIVE", "{public}", gate, gate)


@pytest.mark.parametrize("table", WALLED)
def test_keys_and_references_carry_the_agency(owner_connection: Connection, table: str) -> None:
    """So that no row can point into another agency."""
    keys = owner_connection.execute(
        """SELECT contype, (SELECT array_agg(attname ORDER BY k.n) FROM unnest(conkey) WITH ORDINALITY AS k(attnum, n)
                            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum)
           FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'f')""",
        [table],
    ).fetchall()

    first = "id" if table == "tenants" else "tenant_id"
    assert [columns[0] for _, columns in keys] == [first] * len(keys)
    assert "p" in [kind for kind, _ in keys]


def test_without_a_tenant_nothing_is_seen(filled: Ground) -> None:
    with filled.as_app(None) as nobody, filled.as_app(filled.northside) as own:
        assert {table: seen(nobody, table) for table in WALLED} == dict.fromkeys(WALLED, 0)
        assert all(seen(own, table) for table in WALLED)


def test_another_agency_sees_changes_and_deletes_nothing(filled: Ground) -> None:
    with filled.as_app(filled.northside) as own:
        before = {table: seen(own, table) for table in WALLED}

    with filled.as_app(filled.harbour) as stranger:
        for table in sorted({*WALLED} - APPEND_ONLY):
            column = sql.Identifier("id" if table == "tenants" else "tenant_id")
            name = sql.Identifier(table)
            update = sql.SQL("UPDATE {} SET {} = {} WHERE {} = %s").format(name, column, column, column)
            delete = sql.SQL("DELETE FROM {} WHERE {} = %s").format(name, column)
            assert [stranger.execute(verb, [filled.northside]).rowcount for verb in (update, delete)] == [0, 0], table

    with filled.as_app(filled.northside) as own:
        assert {table: seen(own, table) for table in WALLED} == before


@pytest.mark.parametrize("whose", ["nobody's", "another's"])
def test_a_row_of_another_agency_cannot_be_written(filled: Ground, whose: str) -> None:
    insert = """INSERT INTO venues (tenant_id, id, name, venue_type, timezone)
                VALUES (%s, gen_random_uuid(), 'x', 'x', 'x')"""

    with filled.as_app(None if whose == "nobody's" else filled.harbour) as connection:
        refused = pytest.raises(errors.InsufficientPrivilege, match="row-level security")
        with refused:
            connection.execute(insert, [filled.northside])


def test_a_row_cannot_be_given_away(filled: Ground) -> None:
    with filled.as_app(filled.northside) as own, pytest.raises(errors.InsufficientPrivilege):
        own.execute("UPDATE customers SET tenant_id = %s", [filled.harbour])


@pytest.mark.parametrize(
    "opened",
    [
        "ALTER TABLE venues DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY helpful ON venues USING (true)",
        "ALTER POLICY own_agency ON venues USING (tenant_id = current_tenant() OR current_tenant() IS NULL)",
    ],
)
def test_a_wall_taken_down_is_seen(another_clone: CloneMaker, opened: str) -> None:
    """The control: what the tests above call invisible is there to be seen."""
    other = another_clone()
    with psycopg.connect(other.owner_url, autocommit=True) as owner:
        a_row(owner, "venues", tenant_id=UUID(int=1))
        with as_tenant(other.app_url, None) as nobody:
            before = seen(nobody, "venues")
            owner.execute(opened)
            after = seen(nobody, "venues")

    assert (before, after) == (0, 1)


def test_the_application_owns_nothing_and_is_nobody_special(clone: Clone) -> None:
    with psycopg.connect(clone.app_url, autocommit=True) as app:
        role = app.execute(
            """SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles
               WHERE rolname = current_user"""
        ).fetchone()
        owned = app.execute(
            """SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = (SELECT oid FROM pg_roles
               WHERE rolname = current_user)"""
        ).fetchone()
        groups = app.execute(
            """WITH RECURSIVE mine AS (SELECT oid FROM pg_roles WHERE rolname = current_user UNION
                   SELECT m.roleid FROM pg_auth_members m JOIN mine ON m.member = mine.oid)
               SELECT r.rolname FROM pg_roles r JOIN mine USING (oid) WHERE r.rolname <> current_user"""
        ).fetchall()

    assert role == (False,) * 5
    assert owned == (0,)
    assert all(name.endswith("_rights") for (name,) in groups)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE events NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_agency ON events",
        "ALTER TABLE journal_entries DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "TRUNCATE events",
        "DROP TABLE events",
        "UPDATE alembic_version SET version_num = '0'",
        "ANALYZE VERBOSE pg_authid",
        "SELECT rolpassword FROM pg_authid",
        "COPY events TO PROGRAM 'true'",
    ],
)
def test_the_application_cannot_lay_hands_on_the_house(clone: Clone, statement: str) -> None:
    with psycopg.connect(clone.app_url, autocommit=True) as app:
        notices: list[str] = []
        app.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        try:
            app.execute(statement.encode())
        except errors.InsufficientPrivilege:
            return

    assert any("permission denied" in notice or "skipping" in notice for notice in notices)


@pytest.mark.parametrize("group", ["auditor", "rights"])
def test_the_application_cannot_become_the_auditor(clone: Clone, group: str) -> None:
    with psycopg.connect(clone.app_url, autocommit=True) as app:
        name = sql.SQL("SET ROLE {}").format(sql.Identifier(f"{app.info.dbname}_{group}"))
        if group == "rights":
            app.execute(name)
            assert seen(app, "events") == 0
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute(name)


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("verb", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
def test_what_is_written_once_stays(filled: Ground, table: str, verb: str) -> None:
    with filled.as_app(filled.northside) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(verb.format(table).encode())


def test_the_auditor_sees_all_and_changes_nothing(filled: Ground) -> None:
    with psycopg.connect(filled.clone.owner_url, autocommit=True) as owner:
        owner.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{owner.info.dbname}_auditor")))

        assert all(seen(owner, table) for table in WALLED)
        for verb in (
            "INSERT INTO installation (fact) VALUES ('x')",
            "UPDATE events SET title = ''",
            "DELETE FROM events",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                owner.execute(verb.encode())


def test_the_doors_through_the_walls_are_the_named_ones(owner_connection: Connection) -> None:
    rows = owner_connection.execute(
        """SELECT p.proname, pg_get_userbyid(p.proowner), p.proconfig, p.proacl::text
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.prosecdef"""
    ).fetchall()

    assert {name for name, *_ in rows} == DOORS
    for name, owner, config, rights in rows:
        assert owner.endswith("_auditor") or name == "refresh_seat_figures"
        assert config == ["search_path=pg_catalog, public"]
        assert "_rights=X" in rights
        # An entry without a role's name would be everybody's.
        assert "{=X" not in rights
        assert ",=X" not in rights


def test_the_tenant_is_forgotten_when_the_transaction_ends(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        assert tx.value("SELECT current_tenant()") == tenant.id
        connection = tx.conn

    assert connection.execute("SELECT current_tenant()").fetchone() == (None,)


def test_one_with_a_token_is_in_his_own_agency_at_once(database: Database, tenant: Agency) -> None:
    from activities.access import hashed

    with database.authenticated(hashed(tenant.buyer.token)) as tx:
        assert (tx.tenant_id, tx.value("SELECT current_tenant()")) == (tenant.id, tenant.id)
        assert tx.actor == tenant.buyer.email
