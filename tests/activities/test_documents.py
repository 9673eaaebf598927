"""Documents are asked for once, made from the rows there are, kept by their content, and asked for again when lost."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from pypdf import PdfReader
from typing_extensions import override

from activities import documents as asking
from activities.documents import DocumentActivities, DocumentStep, Made, PapersStep
from db import documents, reports
from db.documents import Document
from db.stretches import Scope
from db.transaction import Database, Tx
from domain.states import Refused
from gateways.payments import SimulatedPayments
from gateways.storage import FolderStorage
from reports.kinds import PDF
from reports.requests import Request
from tests.makers.access import Agency
from tests.makers.payments import our_side_of_a_provider
from tests.makers.printing import print_all
from tests.makers.trade import a_basket, a_cancellation, a_sale, a_stock, an_order, confirmed


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "documents")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as ours:
        yield ours


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def made(database: Database, agency: Agency, storage: FolderStorage, document_id: UUID) -> bytes:
    step = DocumentStep(tenant_id=agency.id, document_id=document_id)
    result = DocumentActivities(database, storage).render(step)
    assert result.storage_key is not None, result.failure
    return storage.get(result.storage_key)


def row(tx: Tx, document_id: UUID) -> Document:
    found = documents.find(tx, document_id)
    assert found is not None
    return found


def asked(tx: Tx) -> list[UUID]:
    tx.write_left()
    return tx.values("SELECT (payload ->> 'document_id')::uuid FROM outbox WHERE kind = 'PAPER' ORDER BY id")


def an_odd_document(tx: Tx, **more: object) -> UUID:
    facts: dict[str, object] = {
        "kind": "receipt",
        "key": "odd",
        "subject_id": None,
        "filename": "x.pdf",
        "media_type": PDF,
        "parameters": {},
    }
    return asking.request_document(tx, **{**facts, **more})  # type: ignore[arg-type]


def test_the_same_key_is_the_same_document_and_is_asked_for_once(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        first, again, other = an_odd_document(tx), an_odd_document(tx), an_odd_document(tx, key="another")

        assert (first == again, first == other) == (True, False)
        assert asked(tx) == [first, other]


def test_nothing_is_asked_for_by_a_transaction_that_is_not_kept(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        an_odd_document(tx)
        tx.keep = False

    with database.transaction(tenant.id) as tx:
        assert (documents.of_key(tx, "odd"), asked(tx)) == (None, [])


def test_a_receipt_shows_its_seats_and_total(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    stock = a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        document_id = asking.request_receipt(tx, stock.receipt_id)

    text = text_of(made(database, tenant, storage, document_id))

    assert all(words in text for words in ("LS-1", "Parkett", "1-10", "200,00 €", "Theater AG", tenant.name)), text


def test_an_order_is_stamped_until_it_is_sent(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    stock = a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        order_id = an_order(tx, stock.event_id, stock.supplier_id, seats=5)
        draft = asking.request_order(tx, order_id)
    confirmed(database, tenant, order_id)
    with database.transaction(tenant.id) as tx:
        sent = asking.request_order(tx, order_id)

    assert "DRAFT" in text_of(made(database, tenant, storage, draft))
    assert "DRAFT" not in text_of(made(database, tenant, storage, sent))


def test_a_booking_has_a_page_for_each_good_ticket(
    database: Database, tenant: Agency, storage: FolderStorage, provider: SimulatedPayments
) -> None:
    stock = a_stock(database, tenant)
    booking_id = a_sale(database, stock, stock.seats[:3], provider=provider)
    a_cancellation(database, tenant.id, booking_id, provider=provider, tickets=1)
    with database.transaction(tenant.id) as tx:
        document_id = asking.request_tickets(tx, booking_id)

    reader = PdfReader(io.BytesIO(made(database, tenant, storage, document_id)))

    assert len(reader.pages) == 2
    assert all("Erika Muster" in page.extract_text() for page in reader.pages)


def test_fewer_tickets_are_another_document(database: Database, tenant: Agency, provider: SimulatedPayments) -> None:
    stock = a_stock(database, tenant)
    booking_id = a_sale(database, stock, stock.seats[:2], provider=provider)
    with database.transaction(tenant.id) as tx:
        before, same = asking.request_tickets(tx, booking_id), asking.request_tickets(tx, booking_id)
    a_cancellation(database, tenant.id, booking_id, provider=provider, tickets=1)

    with database.transaction(tenant.id) as tx:
        assert (before == same, before == asking.request_tickets(tx, booking_id)) == (True, False)


def test_a_ticket_that_is_only_reserved_has_no_paper(database: Database, tenant: Agency) -> None:
    stock = a_stock(database, tenant)
    booking_id = a_basket(database, stock, stock.seats[:1])

    with database.transaction(tenant.id) as tx:
        ticket_id = tx.value("SELECT id FROM tickets WHERE booking_id = %s", (booking_id,))
        with pytest.raises(Refused, match="ticket_not_valid"):
            asking.request_ticket(tx, ticket_id)
        with pytest.raises(Refused, match="ticket_not_valid"):
            asking.request_tickets(tx, booking_id)


def test_a_ticket_cancelled_before_it_was_printed_is_not_printed(
    database: Database, tenant: Agency, storage: FolderStorage, provider: SimulatedPayments
) -> None:
    stock = a_stock(database, tenant)
    booking_id = a_sale(database, stock, stock.seats[:1], provider=provider)
    with database.transaction(tenant.id) as tx:
        ticket_id = tx.value("SELECT id FROM tickets WHERE booking_id = %s", (booking_id,))
        document_id = asking.request_ticket(tx, ticket_id)
    a_cancellation(database, tenant.id, booking_id, provider=provider)

    result = DocumentActivities(database, storage).render(DocumentStep(tenant_id=tenant.id, document_id=document_id))

    assert result.storage_key is None
    assert str(result.failure).startswith("ticket_not_valid: ")


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF-"), ("xlsx", b"PK")])
@pytest.mark.parametrize("name", ["profit", "revenue", "value", "trial-balance"])
def test_reports_come_as_files_with_the_same_bytes(
    database: Database, tenant: Agency, storage: FolderStorage, form: asking.ReportFormat, start: bytes, name: str
) -> None:
    a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        now = reports.database_now(tx)
        request = Request(name=name, scope=Scope(as_of=now, known_at=now))  # type: ignore[arg-type]
        document_id = asking.request_report(tx, request, form=form)
        assert asking.request_report(tx, request, form=form) == document_id

    content = made(database, tenant, storage, document_id)
    with database.transaction(tenant.id) as tx:
        documents.forget(tx, document_id)

    assert content.startswith(start)
    assert made(database, tenant, storage, document_id) == content


def test_making_a_document_twice_keeps_one(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    stock = a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        document_id = asking.request_receipt(tx, stock.receipt_id)
    step = DocumentStep(tenant_id=tenant.id, document_id=document_id)
    steps = DocumentActivities(database, storage)

    first, again = steps.render(step), steps.render(step)

    with database.transaction(tenant.id) as tx:
        kept = row(tx, document_id)
    assert first == again == Made(storage_key=kept.storage_key)
    assert kept.size == len(storage.get(str(kept.storage_key)))


def test_what_cannot_be_made_says_why(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    with database.transaction(tenant.id) as tx:
        strange, lost = an_odd_document(tx, kind="poem"), an_odd_document(tx, key="lost", subject_id=UUID(int=1))

    results = print_all(database, tenant.id, storage)

    assert [str(result.failure).split(":")[0] for result in results] == ["KeyError", "LookupError"]
    with database.transaction(tenant.id) as tx:
        assert [str(row(tx, one).failure).split(":")[0] for one in (strange, lost)] == ["KeyError", "LookupError"]


class FullDisk(FolderStorage):
    """A disk that takes nothing."""

    @override
    def put(self, content: bytes, *, suffix: str = "") -> str:
        raise OSError(28, "No space left on device")


def test_an_outage_is_raised_so_that_it_is_tried_again(database: Database, tenant: Agency, tmp_path: Path) -> None:
    stock = a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        document_id = asking.request_receipt(tx, stock.receipt_id)

    with pytest.raises(OSError, match="No space"):
        made(database, tenant, FullDisk(tmp_path), document_id)

    with database.transaction(tenant.id) as tx:
        assert (row(tx, document_id).failure, row(tx, document_id).storage_key) == (None, None)


def test_a_failed_document_is_asked_for_again_once(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    with database.transaction(tenant.id) as tx:
        document_id = an_odd_document(tx, kind="poem")
    print_all(database, tenant.id, storage)

    with database.transaction(tenant.id) as tx:
        asking.request_again(tx, document_id)
        asking.request_again(tx, document_id)

        assert asked(tx) == [document_id] * 2
        assert row(tx, document_id).failure is None


def test_each_of_many_has_its_own_end(database: Database, tenant: Agency, storage: FolderStorage) -> None:
    stock = a_stock(database, tenant)
    with database.transaction(tenant.id) as tx:
        strange, good = an_odd_document(tx, kind="poem"), asking.request_receipt(tx, stock.receipt_id)

    left = DocumentActivities(database, storage).render_each(
        PapersStep(tenant_id=tenant.id, document_ids=(strange, good))
    )

    with database.transaction(tenant.id) as tx:
        assert (row(tx, strange).failure or "").startswith("KeyError")
        assert row(tx, good).storage_key is not None
    assert left.document_ids == ()


def test_a_stretch_ends_and_says_what_is_left(
    database: Database, tenant: Agency, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_A_STRETCH", -1.0)
    with database.transaction(tenant.id) as tx:
        first, second = an_odd_document(tx, kind="poem"), an_odd_document(tx, key="another")

    left = DocumentActivities(database, storage).render_each(
        PapersStep(tenant_id=tenant.id, document_ids=(first, second))
    )

    assert left.document_ids == (second,)
    with database.transaction(tenant.id) as tx:
        assert (row(tx, first).failure is None, row(tx, second).failure) == (False, None)


def test_the_facts_of_a_paper_are_only_read(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        documents.only_read(tx)

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            tx.run("UPDATE events SET title = 'Hamlet'")
