"""A refresh token used by twenty callers at once."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from prove.races.clients import Ask
from prove.races.ground import Ground
from prove.races.race import Race
from prove.races.tally import Tally
from stand import agency as agencies
from stand.agency import PASSWORD

CALLERS = 20
DEAD = "401 invalid_token"


def run(ground: Ground, rounds: int) -> Tally:
    """A fresh login a round."""
    tally = Tally(rounds=rounds)
    name = f"Refreshing {secrets.token_hex(4)}"
    email = agencies.create(ground.stand.addresses.app_database_url, name=name)
    for _ in range(rounds):
        login = {"grant_type": "password", "username": email, "password": PASSWORD}
        first = ground.http.post("/api/auth/token", data=login).json()
        answers = ground.crowd.volley([_refreshes(first)] * CALLERS)
        tally.heard(answers, clean=("200", DEAD))
        won = [answer.json for answer in answers if answer.status == 200]
        tally.count("new pairs", len(won))
        if len(won) > 1:
            tally.fault(f"{len(won)} of {CALLERS} callers got a new pair")
        _check_dead(ground, tally, [first, *won])
    return tally


def _refreshes(pair: Any) -> Ask:
    form = urlencode({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]})
    return Ask(method="POST", path="/api/auth/token", form=form)


def _check_dead(ground: Ground, tally: Tally, pairs: list[Any]) -> None:
    """The family is dead: no access token of it opens anything, no refresh token gives a pair."""
    looks = ground.crowd.volley([Ask(method="GET", path="/api/auth/me", token=one["access_token"]) for one in pairs])
    tries = ground.crowd.volley([_refreshes(one) for one in pairs])
    tally.expect({answer.said for answer in looks}, {"401 unauthenticated"}, "the family's access tokens")
    tally.expect({answer.said for answer in tries}, {DEAD}, "the family's refresh tokens")


RACE = Race(
    name="refresh",
    sentence="20 callers trade the same refresh token for a new pair at once",
    expected="at most one gets a pair, and every token of that login is dead afterwards",
    rounds=50,
    run=run,
)
