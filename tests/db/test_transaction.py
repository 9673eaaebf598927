"""The one transaction: all of it or nothing, in one agency, by somebody who is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from activities.access import hashed
from db import history
from db.ids import new_id
from db.transaction import Database, DatabaseAway, Tx, Unauthenticated
from tests.makers.access import Agency


def notes(database: Database, agency: Agency, subject_id: object) -> int:
    with database.transaction(agency.id) as tx:
        count: int = tx.value("SELECT count(*) FROM history WHERE subject_id = %s", (subject_id,))
        return count


def test_what_is_written_is_kept_when_the_block_ends(database: Database, tenant: Agency) -> None:
    subject, said = new_id(), []

    with database.transaction(tenant.id, actor="ines") as tx:
        history.note(tx, object="thing", subject_id=subject, to_status="MADE", reason="because")
        tx.after_commit(lambda: said.append("kept"))
        assert said == []

    with database.transaction(tenant.id) as tx:
        found = history.of(tx, subject)
    assert [(change.by, change.from_status, change.to_status, change.reason) for change in found] == [
        ("ines", None, "MADE", "because")
    ]
    assert said == ["kept"]


def test_an_error_takes_everything_back(database: Database, tenant: Agency) -> None:
    subject, said = new_id(), []

    def fail() -> None:
        with database.transaction(tenant.id) as tx:
            history.note(tx, object="thing", subject_id=subject, to_status="MADE")
            tx.after_commit(lambda: said.append("kept"))
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()

    assert (notes(database, tenant, subject), said) == (0, [])


def test_a_preview_takes_everything_back_and_says_nothing(database: Database, tenant: Agency) -> None:
    subject, said = new_id(), []

    with database.transaction(tenant.id) as tx:
        tx.keep = False
        history.note(tx, object="thing", subject_id=subject, to_status="MADE")
        tx.after_commit(lambda: said.append("kept"))

    assert (notes(database, tenant, subject), said) == (0, [])


def test_a_savepoint_takes_back_its_own_block_only(database: Database, tenant: Agency) -> None:
    kept, lost = new_id(), new_id()

    def fail(tx: Tx) -> None:
        with tx.savepoint():
            history.note(tx, object="thing", subject_id=lost, to_status="MADE")
            raise ArithmeticError

    with database.transaction(tenant.id) as tx:
        history.note(tx, object="thing", subject_id=kept, to_status="MADE")
        with pytest.raises(ArithmeticError):
            fail(tx)

    assert (notes(database, tenant, kept), notes(database, tenant, lost)) == (1, 0)


def test_a_secret_nobody_holds_opens_nothing(database: Database) -> None:
    with pytest.raises(Unauthenticated), database.authenticated(hashed("nobody's")):
        raise AssertionError("it was opened")


def test_the_holder_of_a_token_acts_under_his_own_name(database: Database, tenant: Agency) -> None:
    with database.authenticated(hashed(tenant.finance.token), request_id="r1") as tx:
        assert tx.principal is not None
        assert (tx.actor, tx.request_id) == (tenant.finance.email, "r1")
        assert (tx.principal.user_id, tx.principal.role) == (tenant.finance.id, "finance")


def test_a_server_that_is_away_is_said_to_be(tenant: Agency) -> None:
    with (
        Database("postgresql://nobody@127.0.0.1:1/nothing", size=1) as away,
        pytest.raises(DatabaseAway),
        away.transaction(tenant.id),
    ):
        raise AssertionError("it was opened")


def test_a_connection_that_dies_in_the_middle_is_said_to_have(database: Database, tenant: Agency) -> None:
    with pytest.raises(DatabaseAway), database.transaction(tenant.id) as tx:
        tx.value("SELECT pg_terminate_backend(pg_backend_pid())")

    with database.transaction(tenant.id) as tx:
        assert tx.value("SELECT 1") == 1


def test_ids_are_unique_and_in_order_of_time() -> None:
    ids = [new_id() for _ in range(10_000)]

    assert sorted(ids) == ids
    assert len(set(ids)) == len(ids)
    assert {one.version for one in ids} == {7}


def test_human_numbers_are_unique_over_agencies_and_threads(database: Database, tenant: Agency) -> None:
    def draw(_: int) -> str:
        with database.transaction(tenant.id) as tx:
            number: str = tx.value("SELECT next_number('PO', 'po_numbers')")
            return number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(draw, range(64)))

    assert len(set(numbers)) == 64
    assert all(number.startswith("PO-20") and len(number.rpartition("-")[2]) == 5 for number in numbers)
