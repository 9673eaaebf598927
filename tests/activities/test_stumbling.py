"""What an operation says of a step that fails by a fault of ours, what counts as one, and that it forgets nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from temporalio.exceptions import ApplicationError

from activities.stumbling import is_fault
from db import operations
from db.ids import new_id
from db.operations import Subject
from db.transaction import Database, DatabaseAway
from domain.states import Refused
from gateways.payments import ProviderUnavailable
from tests.makers.access import Agency

SINCE = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)
FAULTS = [
    TypeError("none"),
    KeyError("x"),
    AssertionError(),
    psycopg.DataError(),
    psycopg.ProgrammingError(),
    psycopg.IntegrityError(),
    ApplicationError("other money", type="WrongAmount"),
]
NONE_OF_OURS = [
    Refused("wrong_state", "No."),
    DatabaseAway(),
    psycopg.OperationalError(),
    psycopg.errors.DeadlockDetected(),
    ConnectionError(),
    TimeoutError(),
    ProviderUnavailable(),
    ApplicationError("not decided", type="Undecided"),
]


def an_operation(database: Database, agency: Agency, *, waiting_for: str | None = None) -> UUID:
    with database.transaction(agency.id) as tx:
        made = operations.open_operation(
            tx, kind="payment.process", subject=Subject(object="booking", id=new_id()), payload={}
        )
        if waiting_for:
            operations.wait(tx, made, waiting_for=waiting_for)
    return made


def note(database: Database, agency: Agency, operation_id: UUID, *, failures: int) -> str | None:
    with database.transaction(agency.id) as tx:
        operations.note_trouble(tx, [operation_id], step="booking.settle", failures=failures, since=SINCE)
    return said(database, agency, operation_id)


def said(database: Database, agency: Agency, operation_id: UUID) -> str | None:
    with database.transaction(agency.id) as tx:
        found = operations.find(tx, operation_id)
    assert found is not None
    return found.waiting_for


@pytest.mark.parametrize("error", FAULTS, ids=repr)
def test_what_somebody_must_repair_is_a_fault(error: Exception) -> None:
    assert is_fault(error)


@pytest.mark.parametrize("error", NONE_OF_OURS, ids=repr)
def test_rules_outages_and_patience_are_none(error: Exception) -> None:
    assert not is_fault(error)


def test_it_says_which_step_how_often_and_since_when(database: Database, tenant: Agency) -> None:
    operation_id = an_operation(database, tenant)

    note(database, tenant, operation_id, failures=3)

    assert note(database, tenant, operation_id, failures=4) == (
        "a repair of step booking.settle, which has failed 4 times since 2026-11-26 22:30:00 UTC"
    )


def test_what_else_it_waits_for_stays_and_is_left_when_the_step_succeeds(database: Database, tenant: Agency) -> None:
    operation_id = an_operation(database, tenant, waiting_for="the payment provider")

    told = note(database, tenant, operation_id, failures=3)
    with database.transaction(tenant.id) as tx:
        operations.clear_trouble(tx, [operation_id])

    assert str(told).startswith("the payment provider; a repair of step booking.settle")
    assert said(database, tenant, operation_id) == "the payment provider"


def test_an_operation_that_has_ended_says_nothing_more(database: Database, tenant: Agency) -> None:
    operation_id = an_operation(database, tenant)
    with database.transaction(tenant.id) as tx:
        operations.succeed(tx, operation_id, result={})

    assert note(database, tenant, operation_id, failures=3) is None
