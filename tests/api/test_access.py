"""Logging in and out, keys and users, from outside."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from db.transaction import Database
from domain.access import PERMISSIONS, permissions_of
from tests.makers.access import PASSWORD, Agency, a_person
from tests.makers.callers import Caller, faults, refusal, with_key, with_token

Connection = psycopg.Connection[Any]
ME = "/api/auth/me"


def log_in(anonymous: Caller, email: str, password: str = PASSWORD) -> dict[str, Any]:
    answer = anonymous.form("/api/auth/token", grant_type="password", username=email, password=password)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def refresh(anonymous: Caller, token: str) -> Any:
    return anonymous.form("/api/auth/token", grant_type="refresh_token", refresh_token=token)


def lives(anonymous: Caller, token: str) -> bool:
    return with_token(anonymous.http, token).get(ME).status_code == 200


def test_a_login_gives_a_pair_of_tokens_that_say_who_one_is(anonymous: Caller, tenant: Agency) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)

    me = with_token(anonymous.http, tokens["access_token"]).read(ME)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert (me["id"], me["email"], me["name"]) == (str(tenant.buyer.id), tenant.buyer.email, "Ines")
    assert me["tenant"] == {
        "id": str(tenant.id),
        "name": tenant.name,
        "currency": "EUR",
        "timezone": "Europe/Berlin",
    }
    assert (me["roles"], me["permissions"]) == (["buyer"], sorted(permissions_of("buyer")))


def test_a_parameter_nobody_knows_is_refused_at_the_door_too(anonymous: Caller) -> None:
    answer = anonymous.form("/api/auth/token?scope=all", grant_type="password", username="a", password="b")

    assert refusal(answer) == (400, "unknown_parameter")


def test_an_address_is_the_same_in_any_case(anonymous: Caller, tenant: Agency) -> None:
    assert log_in(anonymous, f"  {tenant.buyer.email.upper()} ")["access_token"]


def test_tokens_are_not_to_be_cached(anonymous: Caller, tenant: Agency) -> None:
    answer = anonymous.form("/api/auth/token", grant_type="password", username=tenant.owner.email, password=PASSWORD)

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("account", "password"), [("known", "wrong"), ("nobody@nowhere.example", PASSWORD), ("a\x00b", "x"), ("", "")]
)
def test_a_wrong_pair_is_refused_in_the_same_words(
    anonymous: Caller, tenant: Agency, account: str, password: str
) -> None:
    username = tenant.buyer.email if account == "known" else account

    answer = anonymous.form("/api/auth/token", grant_type="password", username=username, password=password)

    assert refusal(answer) == (401, "invalid_credentials")
    assert answer.json()["detail"] == "e-mail address and password do not match"


def test_an_unknown_account_takes_as_long_as_a_known_one(anonymous: Caller, database: Database, tenant: Agency) -> None:
    known = [a_person(database, tenant_id=tenant.id, role="buyer").email for _ in range(5)]

    def seconds(account: str) -> float:
        began = time.perf_counter()
        anonymous.form("/api/auth/token", grant_type="password", username=account, password="wrong")
        return time.perf_counter() - began

    seconds("warm@up.example")
    pairs = [(seconds(email), seconds(f"x{email}")) for email in known]

    # A login that skips the hash is an order of magnitude faster; the machine's own noise is not.
    ratio = statistics.median(left for left, _ in pairs) / statistics.median(right for _, right in pairs)
    assert 0.4 < ratio < 2.5


def test_ten_failures_close_the_account_for_that_address(anonymous: Caller, tenant: Agency) -> None:
    def attempt(password: str, email: str = tenant.buyer.email) -> tuple[int, str]:
        return refusal(anonymous.form("/api/auth/token", grant_type="password", username=email, password=password))

    failures = [attempt("wrong") for _ in range(10)]

    locked = anonymous.form(
        "/api/auth/token", grant_type="password", username=tenant.buyer.email.upper(), password=PASSWORD
    )
    assert failures == [(401, "invalid_credentials")] * 10
    assert refusal(locked) == (429, "too_many_attempts")
    assert int(locked.headers["Retry-After"]) > 0
    assert log_in(anonymous, tenant.owner.email)["access_token"]
    assert lives(anonymous, tenant.buyer.token)


def test_failures_are_forgotten_after_ten_minutes(
    anonymous: Caller, tenant: Agency, owner_connection: Connection
) -> None:
    for _ in range(10):
        anonymous.form("/api/auth/token", grant_type="password", username=tenant.buyer.email, password="wrong")

    owner_connection.execute(
        "UPDATE login_failures SET failed_at = failed_at - interval '10 minutes' WHERE account = %s",
        [tenant.buyer.email],
    )

    assert log_in(anonymous, tenant.buyer.email)["access_token"]


def test_someone_who_has_left_cannot_log_in_nor_go_on(
    anonymous: Caller, tenant: Agency, owner_connection: Connection
) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)

    owner_connection.execute("UPDATE users SET active = false WHERE id = %s", [tenant.buyer.id])

    answer = anonymous.form("/api/auth/token", grant_type="password", username=tenant.buyer.email, password=PASSWORD)
    assert refusal(answer) == (401, "invalid_credentials")
    assert not lives(anonymous, tokens["access_token"])
    assert refusal(refresh(anonymous, tokens["refresh_token"])) == (401, "invalid_token")


def test_a_refresh_token_is_traded_for_a_new_pair(anonymous: Caller, tenant: Agency) -> None:
    first = log_in(anonymous, tenant.finance.email)

    second = refresh(anonymous, first["refresh_token"])

    assert second.status_code == 200
    assert second.json()["access_token"] != first["access_token"]
    assert lives(anonymous, first["access_token"])
    assert lives(anonymous, second.json()["access_token"])


def test_a_refresh_token_used_twice_kills_its_family_and_no_other(anonymous: Caller, tenant: Agency) -> None:
    first, other = log_in(anonymous, tenant.finance.email), log_in(anonymous, tenant.finance.email)
    second = refresh(anonymous, first["refresh_token"]).json()

    answer = refresh(anonymous, first["refresh_token"])

    assert refusal(answer) == (401, "invalid_token")
    assert not lives(anonymous, first["access_token"])
    assert not lives(anonymous, second["access_token"])
    assert refusal(refresh(anonymous, second["refresh_token"])) == (401, "invalid_token")
    assert lives(anonymous, other["access_token"])


def test_of_two_who_use_a_refresh_token_at_once_one_wins_and_nobody_keeps_anything(
    anonymous: Caller, tenant: Agency
) -> None:
    first = log_in(anonymous, tenant.finance.email)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: refresh(anonymous, first["refresh_token"]), range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert not lives(anonymous, won["access_token"])


@pytest.mark.parametrize("token", ["", "alr_unknown", "a\x00b", "\udcff"])
def test_a_token_nobody_issued_refreshes_nothing(anonymous: Caller, token: str) -> None:
    answer = anonymous.call(
        "POST",
        "/api/auth/token",
        content=b"grant_type=refresh_token&refresh_token=" + token.encode("utf-8", "surrogateescape"),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert refusal(answer) == (401, "invalid_token")


def test_an_access_token_is_no_refresh_token_and_the_reverse(anonymous: Caller, tenant: Agency) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)

    assert refusal(refresh(anonymous, tokens["access_token"])) == (401, "invalid_token")
    assert not lives(anonymous, tokens["refresh_token"])


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_kills_both_at_once(anonymous: Caller, tenant: Agency, kind: str) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)

    answer = anonymous.form("/api/auth/revoke", token=tokens[kind])

    assert answer.status_code == 200
    assert not lives(anonymous, tokens["access_token"])
    assert refusal(refresh(anonymous, tokens["refresh_token"])) == (401, "invalid_token")


def test_revoking_what_nobody_knows_is_no_news(anonymous: Caller, tenant: Agency) -> None:
    assert anonymous.form("/api/auth/revoke", token="ala_unknown").status_code == 200
    assert lives(anonymous, tenant.buyer.token)


def test_tokens_end_with_their_hour(anonymous: Caller, tenant: Agency, owner_connection: Connection) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)

    owner_connection.execute(
        "UPDATE credentials SET expires_at = now() WHERE user_id = %s AND kind = 'ACCESS'", [tenant.buyer.id]
    )

    assert not lives(anonymous, tokens["access_token"])
    assert refresh(anonymous, tokens["refresh_token"]).status_code == 200


def test_no_secret_is_kept_as_it_is(
    anonymous: Caller, owner: Caller, tenant: Agency, owner_connection: Connection
) -> None:
    tokens = log_in(anonymous, tenant.buyer.email)
    key = owner.made("/api/api-keys", {"name": "website", "scopes": ["events:read"]})["key"]

    kept = owner_connection.execute(
        "SELECT c::text FROM credentials c UNION ALL SELECT u::text FROM users u"
    ).fetchall()

    for secret in (tokens["access_token"], tokens["refresh_token"], key, PASSWORD):
        assert not any(secret in text for (text,) in kept)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic bmljZTp0cnk="},
        {"X-API-Key": "alk_nonsense"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer \xff"},
    ],
)
def test_without_a_living_credential_nobody_is_let_in(http: TestClient, headers: dict[str, str]) -> None:
    answer = http.get(ME, headers={name.encode(): value.encode("latin-1") for name, value in headers.items()})

    assert refusal(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_may_do_what_its_scopes_say_and_no_more(owner: Caller, http: TestClient) -> None:
    made = owner.post("/api/api-keys", {"name": "website", "scopes": ["events:read", "customers:write"]})

    key = made.json()
    program = with_key(http, key["key"])
    assert made.status_code == 201
    assert (key["name"], key["scopes"], key["key"].startswith(key["prefix"])) == (
        "website",
        ["customers:write", "events:read"],
        True,
    )
    assert program.get("/api/events").status_code == 200
    assert program.get("/api/customers").status_code == 200
    assert program.post("/api/customers", {"name": "Ada", "email": "ada@example.org"}).status_code == 201
    assert refusal(program.post("/api/events", {})) == (403, "forbidden")
    assert refusal(program.get("/api/venues")) == (403, "forbidden")
    assert refusal(program.post("/api/api-keys", {"name": "more", "scopes": ["events:read"]})) == (403, "forbidden")
    assert program.read(ME)["permissions"] == ["customers:read", "customers:write", "events:read"]


def test_keys_are_listed_without_their_secret(owner: Caller) -> None:
    made = owner.made("/api/api-keys", {"name": "website", "scopes": ["events:read"]})

    listed = owner.everything("/api/api-keys")

    assert listed == [{name: value for name, value in made.items() if name != "key"}]


def test_a_revoked_key_is_dead_at_once(owner: Caller, http: TestClient) -> None:
    made = owner.made("/api/api-keys", {"name": "website", "scopes": ["events:read"]})
    path = f"/api/api-keys/{made['id']}"

    first, second = owner.delete(path), owner.delete(path)

    assert first.status_code == 204
    assert refusal(second) == (404, "not_found")
    assert refusal(with_key(http, made["key"]).get("/api/events")) == (401, "unauthenticated")
    assert owner.everything("/api/api-keys") == []


def test_a_login_is_no_key_to_be_revoked(owner: Caller, owner_connection: Connection, tenant: Agency) -> None:
    row = owner_connection.execute("SELECT id FROM credentials WHERE user_id = %s", [tenant.buyer.id]).fetchone()
    assert row is not None

    assert refusal(owner.delete(f"/api/api-keys/{row[0]}")) == (404, "not_found")


@pytest.mark.parametrize("scopes", [["events:delete"], ["events:read", "everything"], ["self:read"], [""]])
def test_a_scope_that_is_no_permission_is_refused(owner: Caller, scopes: list[str]) -> None:
    answer = owner.post("/api/api-keys", {"name": "website", "scopes": scopes})

    assert refusal(answer) == (422, "unknown_scope")
    assert faults(answer) == [(f"/scopes/{len(scopes) - 1}", "unknown_scope")]


def test_a_key_without_scopes_is_refused(owner: Caller) -> None:
    assert refusal(owner.post("/api/api-keys", {"name": "website", "scopes": []})) == (422, "invalid")


def test_the_other_agencys_keys_and_users_do_not_exist(owner: Caller, stranger: Caller) -> None:
    made = owner.made("/api/api-keys", {"name": "website", "scopes": ["events:read"]})

    assert stranger.everything("/api/api-keys") == []
    assert refusal(stranger.delete(f"/api/api-keys/{made['id']}")) == (404, "not_found")
    assert all(user["email"].endswith("@harbour.example") for user in stranger.everything("/api/users"))


def test_an_owner_makes_a_user_who_can_log_in(owner: Caller, anonymous: Caller, tenant: Agency) -> None:
    email = f"New.{tenant.buyer.email}"
    body = {"email": email, "name": "Lee", "role": "boxoffice", "password": "a long passphrase"}

    made = owner.post("/api/users", body)

    assert made.status_code == 201
    assert (made.json()["email"], made.json()["role"]) == (email.lower(), "boxoffice")
    assert "password" not in made.text
    assert owner.everything("/api/users", limit=2)[0] == made.json()
    me = with_token(anonymous.http, log_in(anonymous, email, "a long passphrase")["access_token"]).read(ME)
    assert me["roles"] == ["boxoffice"]


def test_an_address_has_one_login_in_all_agencies(owner: Caller, other_tenant: Agency) -> None:
    body = {"email": other_tenant.buyer.email.upper(), "name": "Lee", "role": "buyer", "password": "a long passphrase"}

    assert refusal(owner.post("/api/users", body)) == (422, "email_taken")


@pytest.mark.parametrize(
    ("field", "value"), [("role", "king"), ("password", "short"), ("email", "lee"), ("name", ""), ("password", None)]
)
def test_a_user_that_cannot_be_is_refused(owner: Caller, field: str, value: object) -> None:
    body = {"email": "lee@parkside.example", "name": "Lee", "role": "buyer", "password": "a long passphrase"}

    answer = owner.post("/api/users", {**body, field: value})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == [f"/{field}"]


@pytest.mark.parametrize("path", ["/api/users", "/api/api-keys", "/api/settings"])
def test_only_owners_say_who_may_what(buyer: Caller, finance: Caller, boxoffice: Caller, path: str) -> None:
    for caller in (buyer, finance, boxoffice):
        assert refusal(caller.get(path)) == (403, "forbidden")


def test_an_owner_may_everything(owner: Caller) -> None:
    assert set(owner.read(ME)["permissions"]) == PERMISSIONS


@pytest.mark.parametrize("grant", ["", "client_credentials", "password\x00"])
def test_other_grants_are_refused(anonymous: Caller, grant: str) -> None:
    answer = anonymous.form("/api/auth/token", grant_type=grant, username="a", password="b")

    assert refusal(answer) == (422, "invalid")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"grant_type": "password", "username": "a"}, ("invalid", [("/password", "required")])),
        ({"grant_type": "refresh_token"}, ("invalid", [("/refresh_token", "required")])),
        (
            {"grant_type": "password", "username": "a", "password": "b", "remember": "1"},
            ("unknown_field", [("/remember", "unknown_field")]),
        ),
    ],
)
def test_a_login_says_which_field_is_missing_or_unknown(
    anonymous: Caller, fields: dict[str, str], expected: tuple[str, list[tuple[str, str]]]
) -> None:
    answer = anonymous.form("/api/auth/token", **fields)

    assert (refusal(answer), faults(answer)) == ((422, expected[0]), expected[1])
