"""What every call has in common: the order of refusals, keys that make it once, versions, previews, hostile text."""

from __future__ import annotations

import json
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
from api.desk import Accepted, Desk
from api.shapes import Body, Name
from db import operations
from db.idempotency import Request, hold
from db.ids import new_id
from db.operations import Subject
from db.transaction import Database, Tx
from settings import Settings
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal, with_token
from tests.makers.places import a_venue, seat_csv

Connection = psycopg.Connection[Any]

PATH = "/api/customers"
ADA = {"name": "Ada Byron", "email": "ada@example.org"}


def keyed(key: str = "once") -> dict[str, str]:
    return {"Idempotency-Key": key}


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


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe", b'{"name": "Ada", "name"}', b"[" * 100_000, b'{"name": "\xff"}', b"nul", b'{"a": \x00}'],
)
def test_a_body_that_is_no_json_is_unreadable(boxoffice: Caller, content: bytes) -> None:
    answer = boxoffice.call("POST", PATH, content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer) in [(400, "malformed"), (422, "invalid")]


@pytest.mark.parametrize("content", [b"null", b"[]", b"1", b'"x"', b"NaN", b"Infinity", b"1e999", b"9" * 5000])
def test_json_that_is_no_object_is_refused(boxoffice: Caller, content: bytes) -> None:
    answer = boxoffice.call("POST", PATH, content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer) in [(400, "malformed"), (422, "invalid")]


def test_a_form_where_json_is_due_is_refused(boxoffice: Caller) -> None:
    assert boxoffice.call("POST", PATH, data=ADA).status_code in (400, 422)


def test_a_body_beyond_all_measure_is_refused(boxoffice: Caller, owner: Caller) -> None:
    venue_id = a_venue(owner)

    too_much = boxoffice.call("POST", PATH, content=b'{"name": "' + b"x" * 13 * 2**20 + b'"}')
    too_large = owner.upload(f"/api/venues/{venue_id}/seats/import", b"x" * 13 * 2**20)

    assert refusal(too_much) == refusal(too_large) == (413, "too_large")


# Hostile text: refused or stored, never an error of ours.

HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\x1b[31m",
    "\u202eevil",
    "\ufeff",
    "\u200b",
    "A" * 300,
    "'; DROP TABLE users; --",
    "%s %(x)s {0}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "=1+1",
    "𝔄" * 50,
    "e\u0301",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_in_a_field_is_refused_or_kept(owner: Caller, text: str) -> None:
    body = json.dumps({"name": text, "email": "ada@example.org"})

    answer = owner.call("POST", PATH, content=body.encode(), headers={"Content-Type": "application/json"})

    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert owner.read(f"{PATH}/{answer.json()['id']}")["name"] == answer.json()["name"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_elsewhere_is_never_an_error_of_ours(owner: Caller, text: str) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in encoded)

    statuses = [
        owner.call("POST", PATH, content=json.dumps({**ADA, text: text}).encode()).status_code,
        owner.get(f"{PATH}?q={quoted}").status_code,
        owner.get(f"{PATH}?{quoted}=1").status_code,
        owner.get(f"{PATH}?after={quoted}").status_code,
        owner.get(f"{PATH}/{quoted}").status_code,
        owner.get(f"/api/events?from={quoted}&status={quoted}").status_code,
        owner.call("POST", PATH, json=ADA, headers={"Idempotency-Key": encoded}).status_code,  # type: ignore[dict-item]
        owner.call("GET", PATH, headers={"If-Match": encoded, "Prefer": encoded}).status_code,  # type: ignore[dict-item]
        owner.upload(f"/api/venues/{new_id()}/seats/import", encoded).status_code,
        owner.form("/api/auth/token", grant_type="password", username=f"{quoted}", password=quoted).status_code,
    ]

    assert max(statuses) < 500


@pytest.mark.parametrize(
    "cursor", ["x", "bnVsbA", "IlxcdWQ4MDAi", "W1sx", "e30", "MQ", "W1tbW1tb" * 200, "é", "IlwwMCI"]
)
@pytest.mark.parametrize("path", ["/api/customers", "/api/events", "venue"])
def test_a_cursor_of_somebody_elses_making_is_refused(owner: Caller, path: str, cursor: str) -> None:
    place = f"/api/venues/{a_venue(owner, csv=seat_csv('A', seats=1))}/seats" if path == "venue" else path

    answer = owner.get(place, params={"after": cursor})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == ["?after"]


def test_the_same_key_and_content_gives_the_first_answer_again(boxoffice: Caller) -> None:
    first = boxoffice.post(PATH, ADA, headers=keyed())
    second = boxoffice.post(PATH, ADA, headers=keyed())

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert ("Idempotent-Replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert len(boxoffice.everything(PATH)) == 1


def test_content_is_what_was_said_and_not_how(boxoffice: Caller) -> None:
    boxoffice.post(PATH, ADA, headers=keyed())
    spelled = b'{ "customer_type" : "INDIVIDUAL", "email":"ada@example.org",\n "name" : "  Ada Byron "}'

    answer = boxoffice.call(
        "POST", PATH, content=spelled, headers={**keyed(), "Content-Type": "application/json; charset=utf-8"}
    )

    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert len(boxoffice.everything(PATH)) == 1


def test_the_same_key_with_other_content_is_refused(boxoffice: Caller) -> None:
    boxoffice.post(PATH, ADA, headers=keyed())

    answer = boxoffice.post(PATH, {**ADA, "name": "Ada Lovelace"}, headers=keyed())

    assert refusal(answer) == (422, "idempotency_key_reused")
    assert len(boxoffice.everything(PATH)) == 1


def test_the_bytes_of_a_file_are_content(owner: Caller) -> None:
    path = f"/api/venues/{a_venue(owner)}/seats/import"

    first = owner.upload(path, seat_csv("D"), headers=keyed())
    again = owner.upload(path, seat_csv("D"), headers=keyed())
    other = owner.upload(path, seat_csv("E"), headers=keyed())

    assert first.json() == again.json() == {"created": 10, "updated": 0, "unchanged": 0}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_refusal_does_not_use_up_a_key(boxoffice: Caller) -> None:
    refused = boxoffice.post(PATH, {"name": "Ada"}, headers=keyed())
    made = boxoffice.post(PATH, ADA, headers=keyed())

    assert (refused.status_code, made.status_code) == (422, 201)
    assert "Idempotent-Replayed" not in made.headers


def test_a_refusal_by_state_does_not_use_up_a_key(owner: Caller) -> None:
    event = owner.made("/api/events", _event(owner))
    path = f"/api/events/{event['id']}/open-sales"
    refused = owner.post(path, headers=keyed())
    owner.made(f"/api/events/{event['id']}/publish")

    opened, again = owner.post(path, headers=keyed()), owner.post(path, headers=keyed())

    assert refusal(refused) == (409, "wrong_state")
    assert (opened.json()["status"], again.json()["status"]) == ("ON_SALE", "ON_SALE")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_belongs_to_a_principal_a_method_and_a_path(owner: Caller, boxoffice: Caller, stranger: Caller) -> None:
    answers = [
        owner.post(PATH, ADA, headers=keyed()),
        boxoffice.post(PATH, ADA, headers=keyed()),
        stranger.post(PATH, ADA, headers=keyed()),
        owner.post("/api/api-keys", {"name": "x", "scopes": ["events:read"]}, headers=keyed()),
    ]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)


def test_a_key_is_forgotten_after_a_day(boxoffice: Caller, owner_connection: Connection) -> None:
    first = boxoffice.post(PATH, ADA, headers=keyed("a day ago"))
    owner_connection.execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE body LIKE %s",
        [f"%{first.json()['id']}%"],
    )

    second = boxoffice.post(PATH, {**ADA, "name": "Ada Lovelace"}, headers=keyed("a day ago"))

    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


def test_what_was_taken_away_is_still_the_answer_to_its_key(owner: Caller) -> None:
    key = owner.made("/api/api-keys", {"name": "website", "scopes": ["events:read"]})
    path = f"/api/api-keys/{key['id']}"

    answers = [owner.delete(path, headers=keyed()) for _ in range(2)]
    without = owner.delete(path)

    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert refusal(without) == (404, "not_found")


def test_a_replayed_key_creation_returns_everything_but_the_key(owner: Caller) -> None:
    body = {"name": "website", "scopes": ["events:read"]}

    first, second = (owner.post("/api/api-keys", body, headers=keyed()).json() for _ in range(2))

    assert first.pop("key")
    assert second == first
    assert len(owner.everything("/api/api-keys")) == 1


def test_a_preview_leaves_its_key_unused(owner: Caller) -> None:
    path = f"/api/venues/{a_venue(owner)}/seats/import"

    looked = owner.upload(f"{path}?preview=true", seat_csv("D"), headers=keyed())
    done = owner.upload(path, seat_csv("D"), headers=keyed())

    assert (looked.status_code, done.status_code) == (200, 200)
    assert "Idempotent-Replayed" not in done.headers
    assert done.json()["created"] == 10


def test_a_key_on_a_get_or_a_put_means_nothing(owner: Caller) -> None:
    answers = [owner.put("/api/settings", {"service_fee_percent": fee}, headers=keyed()) for fee in ("11", "12")]

    assert [answer.json()["service_fee_percent"] for answer in answers] == ["11.000", "12.000"]


@pytest.mark.parametrize("key", ["k" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(boxoffice: Caller, key: str) -> None:
    assert refusal(boxoffice.post(PATH, ADA, headers=keyed(key))) == (422, "invalid")


def test_a_request_still_running_is_not_begun_again(boxoffice: Caller, database: Database, tenant: Agency) -> None:
    request = Request(principal=str(tenant.boxoffice.id), method="POST", path=PATH, key="once")

    with database.transaction(tenant.id) as tx:
        assert hold(tx, request)
        answer = boxoffice.post(PATH, ADA, headers=keyed())

    assert refusal(answer) == (409, "request_in_progress")
    assert boxoffice.post(PATH, ADA, headers=keyed()).status_code == 201


def test_twenty_at_once_with_one_key_make_one(boxoffice: Caller) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: boxoffice.post(PATH, ADA, headers=keyed()), range(20)))

    found = Counter(answer.status_code for answer in answers)
    assert set(found) <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1
    assert len(boxoffice.everything(PATH)) == 1


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
    event = owner.made("/api/events", _event(owner))
    path = f"/api/events/{event['id']}"
    tag = owner.get(path).headers["ETag"]

    def change(number: int) -> int:
        body = _event(owner, venue_id=event["venue_id"], title=f"Faust {number}")
        return owner.put(path, body, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(change, range(8)))

    assert found == {200: 1, 412: 7}
    assert owner.read(path)["version"] == 2


class Wish(Body):
    """What a test wants done."""

    name: Name


def _wishes() -> Desk:
    desk = Desk(tag="wishes")

    @desk.starts("/wishes", needs="events:write")
    def wish(tx: Tx, body: Wish) -> Accepted:
        """Wish for something."""
        subject = Subject(object="wish", id=new_id())
        return Accepted(operations.open_operation(tx, kind="wish", subject=subject, payload={"name": body.name}))

    return desk


@pytest.fixture(scope="module")
def wishing(clone: Clone) -> Iterator[TestClient]:
    app = build(Settings(build_id="test"), Database(clone.app_url, size=24, name="wishing"))
    app.include_router(_wishes())
    with TestClient(app) as client:
        yield client


def test_an_operation_is_accepted_and_can_be_looked_at(wishing: TestClient, tenant: Agency) -> None:
    caller = with_token(wishing, tenant.buyer.token)

    answer = caller.post("/api/wishes", {"name": "a seat"})

    operation = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/operations/{operation['id']}"
    assert (operation["object"], operation["kind"], operation["status"]) == ("operation", "wish", "queued")
    assert caller.read(answer.headers["Location"]) == operation


def test_a_replayed_operation_is_the_same_one_as_it_is_now(
    wishing: TestClient, tenant: Agency, database: Database
) -> None:
    caller = with_token(wishing, tenant.buyer.token)
    same = {**keyed(), "X-Request-ID": "the-same-for-both"}
    first = caller.post("/api/wishes", {"name": "a seat"}, headers=same)
    with database.transaction(tenant.id) as tx:
        operations.succeed(tx, first.json()["id"], result={"granted": True})

    second = caller.post("/api/wishes", {"name": "a seat"}, headers=same)

    assert (second.status_code, second.headers["Idempotent-Replayed"]) == (202, "true")
    assert "Idempotent-Replayed" not in first.headers
    assert second.json()["id"] == first.json()["id"]
    assert (second.json()["status"], second.json()["result"]) == ("succeeded", {"granted": True})


def test_twenty_wishes_at_once_with_one_key_are_one_operation(wishing: TestClient, tenant: Agency) -> None:
    caller = with_token(wishing, tenant.buyer.token)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: caller.post("/api/wishes", {"name": "a"}, headers=keyed()), range(20)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len(caller.everything("/api/operations")) == 1


def test_a_client_that_waits_is_answered_when_it_ends(wishing: TestClient, tenant: Agency, database: Database) -> None:
    caller = with_token(wishing, tenant.buyer.token)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(caller.post, "/api/wishes", {"name": "a"}, headers={"Prefer": "wait=20"})
        while not (found := caller.everything("/api/operations")):
            assert not waiting.done()
        with database.transaction(tenant.id) as tx:
            operations.succeed(tx, found[0]["id"], result={})
        answer = waiting.result(timeout=10)

    assert (answer.status_code, answer.json()["status"]) == (202, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=20"


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


def _event(owner: Caller, **more: Any) -> dict[str, Any]:
    from tests.makers.places import event_body

    return event_body(more.pop("venue_id", None) or a_venue(owner, csv=seat_csv("A", seats=2)), **more)
