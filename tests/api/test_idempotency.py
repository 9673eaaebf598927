"""Keys that make a call once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from db.idempotency import Request, hold
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.callers import Caller, refusal
from tests.makers.places import a_venue, an_event, seat_csv

Connection = psycopg.Connection[Any]

PATH = "/api/customers"
ADA = {"name": "Ada Byron", "email": "ada@example.org"}


def keyed(key: str = "once") -> dict[str, str]:
    return {"Idempotency-Key": key}


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
    event = an_event(owner)
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
