"""Readiness: which part is named when the database is there, but not ready to be worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from httpx2 import Response
from psycopg import sql
from starlette.testclient import TestClient

from api.app import build
from db.transaction import Database
from settings import Settings
from tests.conftest import CloneMaker
from tests.ground import Clone


@contextmanager
def an_app_on(url: str) -> Iterator[TestClient]:
    with TestClient(build(Settings(build_id="test"), Database(url, size=2, name="health"))) as http:
        yield http


def named(answer: Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["part"]


@pytest.mark.parametrize(
    "deed",
    [
        "DROP TABLE alembic_version",
        "DROP TABLE installation",
        "UPDATE alembic_version SET version_num = '0000'",
        "DELETE FROM alembic_version",
    ],
)
def test_a_database_that_is_not_migrated_is_named_so(another_clone: CloneMaker, deed: str) -> None:
    clone = another_clone()
    with psycopg.connect(clone.owner_url, autocommit=True) as owner:
        owner.execute(sql.SQL(deed))

    with an_app_on(clone.app_url) as http:
        answer = http.get("/readyz")

    assert named(answer) == (503, "unavailable", "migrations")


def test_a_database_whose_rights_are_not_handed_out_yet_is_not_migrated(another_clone: CloneMaker) -> None:
    clone = another_clone()
    with psycopg.connect(clone.owner_url, autocommit=True) as owner:
        for (role,) in owner.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_rights'").fetchall():
            owner.execute(sql.SQL("REVOKE ALL ON alembic_version FROM {}").format(sql.Identifier(role)))

    with an_app_on(clone.app_url) as http:
        answer = http.get("/readyz")

    assert named(answer) == (503, "unavailable", "migrations")


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_a_database_that_does_not_answer_in_time_is_named_so(
    clone: Clone, owner_connection: psycopg.Connection[object], limit: str
) -> None:
    with an_app_on(f"{clone.app_url}?options=-c%20{limit}%3D200") as http, owner_connection.transaction():
        owner_connection.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        answer = http.get("/readyz")

    assert named(answer) == (503, "unavailable", "postgres")
