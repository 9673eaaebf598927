"""Logging in: what many attempts at once are counted as."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

from activities import access
from db.transaction import Database
from domain.states import Refused
from tests.makers.access import PASSWORD, Agency

ADDRESS = "203.0.113.7"


def attempt(database: Database, account: str, password: str = "wrong", address: str = ADDRESS) -> str:
    """The refusal's code, or `in`."""
    try:
        access.log_in(database, account=account, password=password, address=address)
    except Refused as refused:
        return refused.code
    return "in"


def at_once(database: Database, account: str, password: str, *, times: int) -> list[str]:
    barrier = Barrier(times)

    def contend(_: int) -> str:
        barrier.wait()
        return attempt(database, account, password)

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(contend, range(times)))


def test_of_thirty_who_guess_at_once_ten_are_heard(database: Database, tenant: Agency) -> None:
    answers = at_once(database, tenant.buyer.email, "wrong", times=30)

    assert answers == ["invalid_credentials"] * 10 + ["too_many_attempts"] * 20
    assert attempt(database, tenant.buyer.email, PASSWORD) == "too_many_attempts"


def test_who_guesses_closes_neither_another_account_nor_another_address(database: Database, tenant: Agency) -> None:
    at_once(database, tenant.buyer.email, "wrong", times=12)

    assert attempt(database, tenant.owner.email, PASSWORD) == "in"
    assert attempt(database, tenant.buyer.email, PASSWORD, address="203.0.113.8") == "in"


def test_all_who_are_right_at_once_are_let_in(database: Database, tenant: Agency) -> None:
    attempt(database, tenant.buyer.email)

    assert at_once(database, tenant.buyer.email, PASSWORD, times=30) == ["in"] * 30


def test_who_is_right_leaves_no_failure_behind(
    database: Database, tenant: Agency, owner_connection: psycopg.Connection[Any]
) -> None:
    answers = [attempt(database, tenant.buyer.email, password) for password in ("wrong", PASSWORD, "wrong", PASSWORD)]

    counted = owner_connection.execute(
        "SELECT count(*) FROM login_failures WHERE account = %s", [tenant.buyer.email]
    ).fetchone()
    assert answers == ["invalid_credentials", "in"] * 2
    assert counted == (2,)


def test_no_transaction_is_open_while_a_password_is_checked(
    database: Database, tenant: Agency, owner_connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    class Watching:
        def verify(self, _password: str, _hash: str) -> bool:
            row = owner_connection.execute(
                """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'tests' AND xact_start IS NOT NULL"""
            ).fetchone()
            assert row
            seen.append(row[0])
            return False

        def hash(self, password: str) -> str:
            return password

    monkeypatch.setattr(access, "_hasher", Watching)

    assert attempt(database, tenant.buyer.email) == "invalid_credentials"
    assert seen == [0]
