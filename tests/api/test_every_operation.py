"""Generated from the API's own description: who is let in to what, operation by operation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.resources import RESOURCES, resolve
from api.routers import ROUTERS
from db.transaction import Database
from domain.access import PERMISSIONS, SELF, allows
from tests.makers.callers import Caller, refusal, with_key
from tests.makers.rows import a_row

Connection = psycopg.Connection[Any]

NAME = re.compile(r"\{(\w+)\}")
OPEN = {"log_in", "revoke_token"}
"""The two doors that are open to everybody."""


@dataclass(frozen=True)
class Operation:
    """One method on one path, as the description has it."""

    name: str
    method: str
    path: str
    needs: str | None
    parameters: tuple[str, ...]

    def at(self, ids: dict[str, str]) -> str:
        """The path with these in place of its parameters."""
        return NAME.sub(lambda match: ids.get(match[1], "x"), self.path)


def operations() -> list[Operation]:
    """Every operation under /api."""
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    return [
        Operation(
            name=spec["operationId"],
            method=method.upper(),
            path=path,
            needs=spec.get("x-permission"),
            parameters=tuple(NAME.findall(path)),
        )
        for path, methods in app.openapi()["paths"].items()
        for method, spec in methods.items()
    ]


ALL = operations()
GUARDED = [operation for operation in ALL if operation.name not in OPEN]
NAMING = [operation for operation in GUARDED if any(name in RESOURCES for name in operation.parameters)]

PLAIN = [operation for operation in GUARDED if operation not in NAMING]
ASKING = [operation for operation in GUARDED if operation.needs != SELF]
NOWHERE = ("x", "0", "%00", "%ff", "' OR 1=1 --", "01a1fd9c-e067-71fd-99ad-66812411acb1", "PO-2026-99999", "é" * 50)

by_name = pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)


@pytest.fixture(scope="module")
def things(clone: Any, database: Database) -> dict[str, str]:
    """The id of one thing of each kind, all of one agency that is nobody's here."""
    tenant_id = UUID(int=0x2FEDCBA98765432100000000000000AB)
    with psycopg.connect(clone.owner_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO tenants (id, name, currency, timezone) VALUES (%s, 'Southside', 'EUR', 'Europe/Berlin')
               ON CONFLICT DO NOTHING""",
            [tenant_id],
        )
        found = {
            name: str(a_row(connection, resource.table, tenant_id=tenant_id)) for name, resource in RESOURCES.items()
        }
    with database.transaction(tenant_id) as tx:
        # The control: to their own agency every one of them is there.
        assert all(resolve(tx, name, text) for name, text in found.items())
    return found


def test_there_are_operations_and_each_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in ALL]

    assert len(names) > 30
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_every_operation_needs_exactly_one_known_permission(operation: Operation) -> None:
    if operation.name in OPEN:
        assert operation.needs is None
    else:
        assert operation.needs in PERMISSIONS | {SELF}


@by_name
def test_reading_needs_no_permission_to_write_and_writing_does(operation: Operation) -> None:
    assert operation.needs is not None

    assert operation.needs.endswith(":read") == (operation.method == "GET")


@by_name
def test_nobody_is_let_in_without_a_credential(operation: Operation, anonymous: Caller, things: dict[str, str]) -> None:
    answer = anonymous.call(operation.method, operation.at(things), params={"strange": "1"}, content=b"{")

    assert refusal(answer) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", ASKING, ids=lambda operation: operation.name)
def test_nobody_is_let_in_without_the_permission(
    operation: Operation, http: TestClient, owner: Caller, things: dict[str, str]
) -> None:
    scopes = sorted(one for one in PERMISSIONS if not allows([one], needed=str(operation.needs)))
    key = owner.made("/api/api-keys", {"name": "everything else", "scopes": scopes})["key"]

    answer = with_key(http, key).call(operation.method, operation.at(things), params={"strange": "1"}, content=b"{")

    assert refusal(answer) == (403, "forbidden")
    assert answer.json()["permission"] == operation.needs


@pytest.mark.parametrize("operation", NAMING, ids=lambda operation: operation.name)
def test_the_things_of_another_agency_do_not_exist(operation: Operation, owner: Caller, things: dict[str, str]) -> None:
    answers = [
        owner.call(operation.method, operation.at(things)),
        owner.call(operation.method, operation.at(things), params={"strange": "1"}, content=b"{"),
        owner.call(operation.method, operation.at(things), headers={"Idempotency-Key": "k", "If-Match": '"x"'}),
    ]

    assert [refusal(answer) for answer in answers] == [(404, "not_found")] * 3


@pytest.mark.parametrize("operation", NAMING, ids=lambda operation: operation.name)
def test_what_was_never_there_is_not_found(operation: Operation, owner: Caller) -> None:
    answers = [
        owner.call(operation.method, operation.at(dict.fromkeys(operation.parameters, text))) for text in NOWHERE
    ]

    assert [refusal(answer) for answer in answers] == [(404, "not_found")] * len(NOWHERE)


@pytest.mark.parametrize("operation", PLAIN, ids=lambda operation: operation.name)
def test_a_query_parameter_nobody_knows_is_refused(operation: Operation, owner: Caller) -> None:
    answer = owner.call(operation.method, operation.at({}), params={"strange": "1"})

    assert refusal(answer) == (400, "unknown_parameter")
    assert answer.json()["errors"][0]["pointer"] == "?strange"
