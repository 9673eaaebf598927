"""Logging in and out, keys and users, from outside."""

from __future__ import annotations

from tests.makers.access import PASSWORD, Agency
from tests.makers.callers import Caller


def test_a_login_gives_a_pair_of_tokens_that_say_who_one_is(anonymous: Caller, tenant: Agency) -> None:
    answer = anonymous.form("/api/auth/token", grant_type="password", username=tenant.buyer.email, password=PASSWORD)

    body = answer.json()
    me = Caller(anonymous.http, {"Authorization": f"Bearer {body['access_token']}"}).read("/api/auth/me")
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert (me["email"], me["roles"], me["tenant"]["currency"]) == (tenant.buyer.email, ["buyer"], "EUR")
