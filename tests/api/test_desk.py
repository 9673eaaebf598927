"""What every call has in common: the order of refusals, versions, and a database that is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import build
from db.ids import new_id
from db.transaction import Database
from settings import Settings
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal, with_token
from tests.makers.places import an_event, event_body

Connection = psycopg.Connection[Any]

PATH = "/api/customers"
ADA = {"name": "Ada Byron", "email": "ada@example.org"}


@pytest.mark.parametrize(
    ("who", "expected"),
    [("anonymous", (401, "unauthenticated")), ("buyer", (403, "forbidden")), ("boxoffice", (422, "invalid"))],
)
def test_who_one_is_matters_before_what_one_sends(
    request: pytest.FixtureRequest, who: str, expected: tuple[int, str]
) -> None:
    caller: Caller = request.getfixturevalue(who)

    assert refusal(caller.post(PATH, {"name": 1})) == expected


def test_what_is_not_there_matters_before_what_one_sends(owner: Caller) -> None:
    answer = owner.put(f"/api/events/{new_id()}", {"title": 1}, params={"strange": "1"})

    assert refusal(answer) == (404, "not_found")


def test_a_parameter_nobody_knows_matters_before_the_body(boxoffice: Caller) -> None:
    answer = boxoffice.post(f"{PATH}?dry_run=true", {"name": 1})

    assert refusal(answer) == (400, "unknown_parameter")


def test_a_field_nobody_knows_is_named(boxoffice: Caller) -> None:
    answer = boxoffice.post(PATH, {**ADA, "nickname": "A", "address": {"street": "x"}})

    assert refusal(answer) == (422, "unknown_field")
    assert faults(answer) == [("/nickname", "unknown_field"), ("/address", "unknown_field")]


def test_a_field_that_is_missing_is_named(boxoffice: Caller) -> None:
    answer = boxoffice.post(PATH, {"name": "Ada"})

    assert refusal(answer) == (422, "invalid")
    assert faults(answer) == [("/email", "required")]


def test_a_problem_says_all_that_its_reader_needs(boxoffice: Caller) -> None:
    answer = boxoffice.post(PATH, {"name": "Ada"}, headers={"X-Request-ID": "from-me.1"})

    problem = answer.json()
    assert set(problem) >= {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
    assert (problem["status"], problem["instance"], problem["request_id"]) == (422, PATH, "from-me.1")
    assert answer.headers["X-Request-ID"] == "from-me.1"
    assert set(problem["errors"][0]) == {"pointer", "code", "message"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nothing"), ("GET", "/nothing"), ("GET", "/api")])
def test_a_path_nobody_knows_is_a_problem_too(owner: Caller, method: str, path: str) -> None:
    assert refusal(owner.call(method, path)) == (404, "not_found")


def test_a_method_nobody_offers_is_a_problem_too(owner: Caller) -> None:
    answer = owner.call("PATCH", PATH)

    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"]


def test_every_reading_of_one_thing_carries_its_version(owner: Caller) -> None:
    made = owner.made(PATH, ADA)

    first, second = (owner.get(f"{PATH}/{made['id']}").headers["ETag"] for _ in range(2))

    assert first == second
    assert "ETag" not in owner.get(PATH).headers


@pytest.mark.parametrize("tag", ["*", '"other", {}', "{}"])
def test_if_match_lets_through_what_has_not_changed(owner: Caller, tag: str) -> None:
    current = owner.get("/api/settings").headers["ETag"]

    answer = owner.put("/api/settings", {"timezone": "UTC"}, headers={"If-Match": tag.format(current)})

    assert answer.status_code == 200


def test_two_changes_on_one_reading_at_once_have_one_winner(owner: Caller) -> None:
    event = an_event(owner)
    path = f"/api/events/{event['id']}"
    tag = owner.get(path).headers["ETag"]

    def change(number: int) -> int:
        body = event_body(event["venue_id"], title=f"Faust {number}")
        return owner.put(path, body, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(change, range(8)))

    assert found == {200: 1, 412: 7}
    assert owner.read(path)["version"] == 2


def test_two_changes_of_the_settings_on_one_reading_at_once_have_one_winner(owner: Caller) -> None:
    tag = owner.get("/api/settings").headers["ETag"]
    zones = [f"Etc/GMT+{hour}" for hour in range(1, 9)]

    def change(zone: str) -> int:
        return owner.put("/api/settings", {"timezone": zone}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(change, zones))

    assert found == {200: 1, 412: 7}


def test_what_is_wrong_with_the_body_comes_before_a_version_that_has_passed(owner: Caller) -> None:
    event = an_event(owner)
    path, stale = f"/api/events/{event['id']}", {"If-Match": '"stale"'}

    elsewhere = owner.put(path, event_body(str(new_id())), headers=stale)
    fine = owner.put(path, event_body(event["venue_id"]), headers=stale)

    assert elsewhere.status_code == 422
    assert (fine.status_code, fine.json()["code"]) == (412, "version_mismatch")
    assert owner.read(path) == event


@pytest.mark.parametrize("wait", ["wait=²", "wait=", "wait=-1", "wait=1e9", "wait"])
def test_a_wait_that_is_no_number_is_no_wait(owner: Caller, wait: str) -> None:
    answer = owner.get("/api/settings", headers={b"Prefer": wait.encode("latin-1")})

    assert answer.status_code == 200


@contextmanager
def an_app_on(url: str) -> Iterator[TestClient]:
    database = Database(url, size=4, name="away")
    app: FastAPI = build(Settings(build_id="test"), database)
    with TestClient(app) as http:
        yield http


def test_without_a_database_the_answer_is_to_come_again(tenant: Agency) -> None:
    with an_app_on("postgresql://nobody@127.0.0.1:1/nothing") as http:
        answers = [
            http.get("/api/events", headers={"Authorization": f"Bearer {tenant.buyer.token}"}),
            http.post(PATH, json={"name": 1}, headers={"Authorization": f"Bearer {tenant.buyer.token}"}),
            http.post("/api/auth/token", data={"grant_type": "password", "username": "a@b.example", "password": "x"}),
            http.get("/readyz"),
        ]
        alive = http.get("/healthz")

    assert [refusal(answer) for answer in answers] == [(503, "unavailable")] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert alive.status_code == 200


def test_a_database_that_gives_up_is_not_called_away(
    clone: Clone, owner: Caller, tenant: Agency, owner_connection: Connection
) -> None:
    event = an_event(owner)
    with an_app_on(f"{clone.app_url}?options=-c%20lock_timeout%3D200") as http, owner_connection.transaction():
        owner_connection.execute("SELECT FROM events WHERE id = %s FOR UPDATE", (event["id"],))
        path, body = f"/api/events/{event['id']}", event_body(event["venue_id"], title="Faust 9")
        answer = with_token(http, tenant.owner.token).put(path, body)

    assert refusal(answer) == (503, "unavailable")
    assert "in time; nothing was done" in answer.json()["detail"]
    assert owner.read(path)["title"] == event["title"]


def test_connections_that_died_meanwhile_are_passed_over(
    clone: Clone, tenant: Agency, owner_connection: Connection
) -> None:
    with an_app_on(clone.app_url) as http:
        caller = with_token(http, tenant.buyer.token)
        with ThreadPoolExecutor(4) as pool:
            before = set(pool.map(lambda _: caller.get("/api/events").status_code, range(8)))
        owner_connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'away'"
        )

        after = [caller.get("/api/events").status_code for _ in range(4)]

    assert (before, after) == ({200}, [200] * 4)
