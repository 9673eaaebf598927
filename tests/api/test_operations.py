"""Operations: what a process carries, as its client sees it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api import waiting
from api.app import build
from api.desk import Accepted, Desk
from api.lanes import THREADS
from api.serve import database_of
from api.shapes import Body, Name
from db import operations
from db.ids import new_id
from db.operations import Subject
from db.transaction import Database, DatabaseAway, Tx
from settings import Settings
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, refusal, with_token

ONCE = {"Idempotency-Key": "once"}


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
    same = {**ONCE, "X-Request-ID": "the-same-for-both"}
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
        answers = list(pool.map(lambda _: caller.post("/api/wishes", {"name": "a"}, headers=ONCE), range(20)))

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


def test_what_was_accepted_is_a_yes_though_nobody_can_look_how_it_goes_on(
    wishing: TestClient, tenant: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = with_token(wishing, tenant.buyer.token)

    def away(*_: object) -> None:
        raise DatabaseAway("no connection")

    monkeypatch.setattr(waiting, "_look", away)
    answers = [caller.post("/api/wishes", {"name": "calm"}, headers={"Prefer": f"wait={s}"}) for s in (0, 1)]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "queued")] * 2


def test_every_thread_of_the_api_finds_a_connection_of_its_own(clone: Clone) -> None:
    with database_of(Settings(app_database_url=clone.app_url)) as database, ExitStack() as threads:
        taken = [threads.enter_context(database.tenantless()) for _ in range(THREADS)]

        assert len({id(tx.conn) for tx in taken}) == THREADS


def an_operation(database: Database, agency: Agency, *, kind: str = "wish") -> UUID:
    with database.transaction(agency.id, actor="ines") as tx:
        subject = Subject(object="purchase_order", id=new_id(), number="PO-2026-00042")
        return operations.open_operation(tx, kind=kind, subject=subject, payload={}, total=3, unit="seats")


def test_an_operation_says_what_it_is_about_and_how_far_it_is(
    buyer: Caller, tenant: Agency, database: Database
) -> None:
    operation_id = an_operation(database, tenant)

    shown = buyer.read(f"/api/operations/{operation_id}")

    subject: dict[str, Any] = shown["subject"]
    assert shown["progress"] == {"done": 0, "total": 3, "unit": "seats"}
    assert (subject["object"], subject["number"]) == ("purchase_order", "PO-2026-00042")
    assert subject["url"] == f"/api/purchase-orders/{subject['id']}"
    assert (shown["waiting_for"], shown["result"], shown["error"], shown["ended_at"]) == (None, None, None, None)


def test_a_failed_operation_carries_its_problem(buyer: Caller, tenant: Agency, database: Database) -> None:
    operation_id = an_operation(database, tenant)
    with database.transaction(tenant.id) as tx:
        operations.fail(tx, operation_id, error={"code": "over_delivery", "detail": "3 too many", "facts": {"open": 2}})

    shown = buyer.read(f"/api/operations/{operation_id}")

    assert (shown["status"], shown["ended_at"] is None) == ("failed", False)
    assert {name: shown["error"][name] for name in ("code", "status", "detail", "open")} == {
        "code": "over_delivery",
        "status": 409,
        "detail": "3 too many",
        "open": 2,
    }


def test_operations_are_listed_newest_first_by_status_and_kind(
    buyer: Caller, tenant: Agency, database: Database
) -> None:
    ids = [
        str(an_operation(database, tenant, kind=kind)) for kind in ("order.submit", "order.receive", "order.receive")
    ]
    with database.transaction(tenant.id) as tx:
        operations.begin(tx, UUID(ids[0]))
        operations.succeed(tx, UUID(ids[1]), result={"received": 3})
        operations.wait(tx, UUID(ids[2]), waiting_for="the supplier")

    def found(query: str) -> list[int]:
        return [ids.index(one["id"]) for one in buyer.everything(f"/api/operations{query}", limit=1)]

    assert found("") == [2, 1, 0]
    assert found("?kind=order.receive") == [2, 1]
    assert found("?status=running") == [0]
    assert found("?status=waiting&status=succeeded") == [2, 1]
    assert found("?status=failed") == []
    assert refusal(buyer.get("/api/operations?status=lost")) == (422, "invalid")


def test_what_has_ended_stays_as_it_ended(buyer: Caller, tenant: Agency, database: Database) -> None:
    operation_id = an_operation(database, tenant)
    with database.transaction(tenant.id) as tx:
        operations.succeed(tx, operation_id, result={"received": 3})
    before = buyer.read(f"/api/operations/{operation_id}")

    with database.transaction(tenant.id) as tx:
        operations.begin(tx, operation_id)
        operations.wait(tx, operation_id, waiting_for="nobody")
        operations.fail(tx, operation_id, error={"code": "internal"})

    assert buyer.read(f"/api/operations/{operation_id}") == before


def test_everybody_of_the_agency_may_look_and_nobody_else(
    boxoffice: Caller, finance: Caller, stranger: Caller, anonymous: Caller, tenant: Agency, database: Database
) -> None:
    path = f"/api/operations/{an_operation(database, tenant)}"

    assert boxoffice.read(path) == finance.read(path)
    assert refusal(stranger.get(path)) == (404, "not_found")
    assert stranger.everything("/api/operations") == []
    assert refusal(anonymous.get(path)) == (401, "unauthenticated")
