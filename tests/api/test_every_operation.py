"""Generated from the API's own description: who is let in to what, operation by operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import build
from api.resources import RESOURCES, resolve
from api.routers import ROUTERS
from db.transaction import Database
from domain.access import PERMISSIONS, SELF, allows
from settings import Settings
from tests import ground
from tests.makers.access import Agency, an_agency
from tests.makers.callers import Caller, refusal, with_key, with_token
from tests.makers.rows import a_row

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


@dataclass(frozen=True)
class House:
    """The API on a database in which Southside has one thing of each kind, and Northside, who calls, has none."""

    http: TestClient
    agency: Agency
    things: dict[str, str]

    @property
    def anonymous(self) -> Caller:
        return Caller(self.http)

    @property
    def owner(self) -> Caller:
        return with_token(self.http, self.agency.owner.token)


@pytest.fixture(scope="module")
def house(worker_name: str) -> Iterator[House]:
    with ground.clone(f"{worker_name}_every") as clone, Database(clone.app_url, size=8) as database:
        agency, southside = an_agency(database), an_agency(database, name="Southside")
        with psycopg.connect(clone.owner_url, autocommit=True) as connection:
            things = {
                name: str(a_row(connection, resource.table, tenant_id=southside.id))
                for name, resource in RESOURCES.items()
            }
        with database.transaction(southside.id) as tx:
            # The control: to their own agency every one of them is there.
            assert all(resolve(tx, name, text) for name, text in things.items())
        with TestClient(build(Settings(build_id="test"), database)) as http:
            yield House(http, agency, things)


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
def test_nobody_is_let_in_without_a_credential(operation: Operation, house: House) -> None:
    answer = house.anonymous.call(operation.method, operation.at(house.things), params={"strange": "1"}, content=b"{")

    assert refusal(answer) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", ASKING, ids=lambda operation: operation.name)
def test_nobody_is_let_in_without_the_permission(operation: Operation, house: House) -> None:
    scopes = sorted(one for one in PERMISSIONS if not allows([one], needed=str(operation.needs)))
    key = house.owner.made("/api/api-keys", {"name": "everything else", "scopes": scopes})["key"]

    answer = with_key(house.http, key).call(
        operation.method, operation.at(house.things), params={"strange": "1"}, content=b"{"
    )

    assert refusal(answer) == (403, "forbidden")
    assert answer.json()["permission"] == operation.needs


@pytest.mark.parametrize("operation", NAMING, ids=lambda operation: operation.name)
def test_the_things_of_another_agency_do_not_exist(operation: Operation, house: House) -> None:
    owner, path = house.owner, operation.at(house.things)
    answers = [
        owner.call(operation.method, path),
        owner.call(operation.method, path, params={"strange": "1"}, content=b"{"),
        owner.call(operation.method, path, headers={"Idempotency-Key": "k", "If-Match": '"x"'}),
    ]

    assert [refusal(answer) for answer in answers] == [(404, "not_found")] * 3


@pytest.mark.parametrize("operation", NAMING, ids=lambda operation: operation.name)
def test_what_was_never_there_is_not_found(operation: Operation, house: House) -> None:
    answers = [
        house.owner.call(operation.method, operation.at(dict.fromkeys(operation.parameters, text))) for text in NOWHERE
    ]

    assert [refusal(answer) for answer in answers] == [(404, "not_found")] * len(NOWHERE)


@pytest.mark.parametrize("operation", PLAIN, ids=lambda operation: operation.name)
def test_a_query_parameter_nobody_knows_is_refused(operation: Operation, house: House) -> None:
    answer = house.owner.call(operation.method, operation.at({}), params={"strange": "1"})

    assert refusal(answer) == (400, "unknown_parameter")
    assert answer.json()["errors"][0]["pointer"] == "?strange"
