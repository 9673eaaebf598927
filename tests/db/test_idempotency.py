"""Idempotency keys: one holder at a time, and the answer is kept with its effect or not at all."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from db import idempotency
from db.idempotency import Request
from db.transaction import Database, Tx
from tests.makers.access import Agency

Connection = psycopg.Connection[Any]

ONCE = Request(principal="ines", method="POST", path="/api/things", key="once")


def remember(tx: Tx, *, body: str = '{"id":1}') -> None:
    idempotency.remember(
        tx,
        ONCE,
        fingerprint="f",
        status=201,
        body=body,
        headers={"content-type": "application/json"},
        operation_id=None,
    )


def test_what_was_answered_is_recalled(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        remember(tx)

    with database.transaction(tenant.id) as tx:
        known = idempotency.recall(tx, ONCE)

    assert known is not None
    assert (known.fingerprint, known.status, known.body) == ("f", 201, '{"id":1}')
    assert known.headers == {"content-type": "application/json"}


def test_an_answer_whose_effect_was_lost_is_not_recalled(database: Database, tenant: Agency) -> None:
    def fail() -> None:
        with database.transaction(tenant.id) as tx:
            remember(tx)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()

    with database.transaction(tenant.id) as tx:
        assert idempotency.recall(tx, ONCE) is None


@pytest.mark.parametrize(
    "other",
    [
        Request(principal="omar", method="POST", path="/api/things", key="once"),
        Request(principal="ines", method="DELETE", path="/api/things", key="once"),
        Request(principal="ines", method="POST", path="/api/others", key="once"),
        Request(principal="ines", method="POST", path="/api/things", key="Once"),
    ],
)
def test_a_key_is_good_for_one_principal_method_and_path(database: Database, tenant: Agency, other: Request) -> None:
    with database.transaction(tenant.id) as tx:
        remember(tx)
        assert idempotency.hold(tx, ONCE)

        with database.transaction(tenant.id) as second:
            assert idempotency.hold(second, other)
            assert idempotency.recall(second, other) is None


def test_a_key_is_held_by_one_transaction_and_free_when_it_ends(
    database: Database, tenant: Agency, other_tenant: Agency
) -> None:
    with database.transaction(tenant.id) as first:
        held = idempotency.hold(first, ONCE)
        with database.transaction(tenant.id) as second, database.transaction(other_tenant.id) as stranger:
            during = (idempotency.hold(second, ONCE), idempotency.hold(stranger, ONCE))

    with database.transaction(tenant.id) as third:
        assert (held, during, idempotency.hold(third, ONCE)) == (True, (False, True), True)


def test_an_answer_is_good_for_a_day_and_then_replaced(
    database: Database, tenant: Agency, owner_connection: Connection
) -> None:
    def age(hours: str) -> None:
        owner_connection.execute(
            "UPDATE idempotency_keys SET created_at = now() - %s::interval WHERE tenant_id = %s", [hours, tenant.id]
        )

    with database.transaction(tenant.id) as tx:
        remember(tx)
    age("23 hours 59 minutes")
    with database.transaction(tenant.id) as tx:
        assert idempotency.recall(tx, ONCE)
    age("24 hours 1 second")
    with database.transaction(tenant.id) as tx:
        assert idempotency.recall(tx, ONCE) is None
        remember(tx, body='{"id":2}')

    with database.transaction(tenant.id) as tx:
        known = idempotency.recall(tx, ONCE)
    assert known is not None
    assert known.body == '{"id":2}'


def test_old_answers_are_forgotten_and_others_kept(
    database: Database, tenant: Agency, owner_connection: Connection
) -> None:
    with database.transaction(tenant.id) as tx:
        remember(tx)
        assert idempotency.forget_old(tx) == 0
    owner_connection.execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '26 hours' WHERE tenant_id = %s", [tenant.id]
    )

    with database.transaction(tenant.id) as tx:
        assert idempotency.forget_old(tx) == 1
