"""/pdf, tickets.pdf and /download: made elsewhere, held for, handed out to who may see them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api import documents
from db.transaction import Database
from gateways.payments import SimulatedPayments
from gateways.storage import FolderStorage
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, refusal, with_token
from tests.makers.payments import our_side_of_a_provider
from tests.makers.printing import a_printer, an_api, print_all
from tests.makers.trade import a_basket, a_cancellation, a_sale, a_stock


@dataclass(frozen=True)
class Papers:
    """Where the papers of one small trade are."""

    order: str
    receipt: str
    tickets: str
    ticket: str
    reserved: str
    booking_id: str


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as ours:
        yield ours


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a busy machine prints within twenty seconds is not what is tested."""
    monkeypatch.setattr(documents, "LONGEST", 120.0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def storage(home: Path) -> FolderStorage:
    return FolderStorage(home / "documents")


@pytest.fixture(scope="module")
def http(clone: Clone, home: Path) -> Iterator[TestClient]:
    with an_api(clone.app_url, home) as client:
        yield client


@pytest.fixture
def papers(database: Database, tenant: Agency, provider: SimulatedPayments) -> Papers:
    stock = a_stock(database, tenant)
    booking_id = a_sale(database, stock, stock.seats[:2], provider=provider)
    basket_id = a_basket(database, stock, stock.seats[2:3])
    with database.transaction(tenant.id) as tx:
        first = "SELECT id FROM tickets WHERE booking_id = %s ORDER BY position LIMIT 1"
        sold, reserved = tx.value(first, (booking_id,)), tx.value(first, (basket_id,))
    return Papers(
        order=f"/api/purchase-orders/{stock.order_id}/pdf",
        receipt=f"/api/receipts/{stock.receipt_id}/pdf",
        tickets=f"/api/bookings/{booking_id}/tickets.pdf",
        ticket=f"/api/tickets/{sold}/download",
        reserved=f"/api/tickets/{reserved}/download",
        booking_id=str(booking_id),
    )


@pytest.fixture
def owner(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.owner.token)


@pytest.mark.parametrize("which", ["order", "receipt", "tickets", "ticket"])
def test_a_paper_is_made_when_it_is_asked_for(
    owner: Caller, papers: Papers, database: Database, tenant: Agency, storage: FolderStorage, which: str
) -> None:
    with a_printer(database, tenant.id, storage):
        answer = owner.get(getattr(papers, which))

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["etag"].startswith('"')


def test_a_paper_that_is_there_is_handed_out_at_once(
    owner: Caller, papers: Papers, database: Database, tenant: Agency, storage: FolderStorage
) -> None:
    with a_printer(database, tenant.id, storage):
        first = owner.get(papers.receipt)

    began = time.monotonic()
    again = owner.get(papers.receipt)

    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert time.monotonic() - began < 1


def test_a_paper_that_takes_too_long_is_pending(owner: Caller, papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LONGEST", 0.3)

    answer = owner.get(papers.receipt)

    assert refusal(answer) == (503, "document_pending")
    assert int(answer.headers["retry-after"]) > 0


def test_a_lost_paper_is_made_again(
    owner: Caller, papers: Papers, database: Database, tenant: Agency, storage: FolderStorage, home: Path
) -> None:
    with a_printer(database, tenant.id, storage):
        first = owner.get(papers.receipt)
        for file in (home / "documents").rglob("*.pdf"):
            file.unlink()

        again = owner.get(papers.receipt)

    assert again.content == first.content


def test_a_paper_that_failed_says_so_and_is_tried_again_when_asked(
    owner: Caller,
    papers: Papers,
    database: Database,
    tenant: Agency,
    storage: FolderStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "LONGEST", 0.3)
    owner.get(papers.receipt)
    with database.transaction(tenant.id) as tx:
        tx.run("UPDATE documents SET failure = 'UndefinedError: no such fact' WHERE storage_key IS NULL")

    assert refusal(owner.get(papers.receipt)) == (503, "document_pending")

    print_all(database, tenant.id, storage)
    assert owner.get(papers.receipt).status_code == 200


def test_a_reserved_ticket_has_no_paper(owner: Caller, papers: Papers) -> None:
    assert refusal(owner.get(papers.reserved)) == (409, "ticket_not_valid")


def test_a_cancelled_ticket_has_no_paper_any_more(
    owner: Caller,
    papers: Papers,
    database: Database,
    tenant: Agency,
    storage: FolderStorage,
    provider: SimulatedPayments,
) -> None:
    with a_printer(database, tenant.id, storage):
        assert owner.get(papers.ticket).status_code == 200
    a_cancellation(database, tenant.id, UUID(papers.booking_id), provider=provider)

    assert refusal(owner.get(papers.ticket)) == (409, "ticket_not_valid")
    assert refusal(owner.get(papers.tickets)) == (409, "ticket_not_valid")


def test_a_paper_can_be_asked_for_by_its_number(
    owner: Caller, papers: Papers, database: Database, tenant: Agency, storage: FolderStorage
) -> None:
    number = owner.read(f"/api/bookings/{papers.booking_id}")["booking_number"]

    with a_printer(database, tenant.id, storage):
        answer = owner.get(f"/api/bookings/{number}/tickets.pdf")

    assert answer.status_code == 200
    assert f'filename="{number}-tickets.pdf"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("which", "allowed"),
    [
        ("order", {"owner", "buyer", "finance"}),
        ("receipt", {"owner", "buyer", "finance"}),
        ("tickets", {"owner", "boxoffice"}),
        ("ticket", {"owner", "boxoffice"}),
    ],
)
def test_papers_are_for_who_may_read_their_thing(
    http: TestClient, papers: Papers, tenant: Agency, monkeypatch: pytest.MonkeyPatch, which: str, allowed: set[str]
) -> None:
    monkeypatch.setattr(documents, "LONGEST", 0.0)
    roles = ("owner", "buyer", "finance", "boxoffice")

    answers = {role: refusal(with_token(http, tenant.person(role).token).get(getattr(papers, which))) for role in roles}

    told = {True: (503, "document_pending"), False: (403, "forbidden")}
    assert answers == {role: told[role in allowed] for role in roles}


@pytest.mark.parametrize("which", ["order", "receipt", "tickets", "ticket", "reserved"])
def test_the_stranger_and_the_nameless_get_nothing(
    http: TestClient, stranger: Caller, papers: Papers, which: str
) -> None:
    assert refusal(stranger.get(getattr(papers, which))) == (404, "not_found")
    assert refusal(Caller(http).get(getattr(papers, which))) == (401, "unauthenticated")


@pytest.mark.parametrize("name", ["a.pdf", "Ä.pdf", 'a".pdf', "a\\b.pdf"])
def test_a_file_name_never_breaks_its_header(name: str) -> None:
    told = documents.disposition(name)

    assert told.isascii()
    assert told.count('"') == 2


def test_what_somebody_waits_for_is_made_before_what_nobody_does(
    owner: Caller, papers: Papers, database: Database, tenant: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LONGEST", 0.2)
    monkeypatch.setattr(documents, "PATIENT", 0.1)

    for _ in range(2):
        assert refusal(owner.get(papers.receipt)) == (503, "document_pending")

    with database.transaction(tenant.id) as tx:
        urgent = tx.values(
            "SELECT payload ->> 'process_id' FROM outbox WHERE (payload -> 'argument' ->> 'urgent')::boolean"
        )
        receipt = tx.value("SELECT id FROM documents WHERE kind = 'receipt'")
    assert urgent == [f"document/{receipt}/now"]
