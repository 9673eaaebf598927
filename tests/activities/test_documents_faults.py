"""Faults while papers are made: tried again by themselves before they are final, and never at the expense of other papers."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from activities import documents as asking
from activities.documents import TRIES, DocumentActivities, DocumentStep, Made, PapersStep
from db import documents
from db.documents import Document
from db.transaction import Database, Tx
from gateways.storage import FolderStorage
from reports import kinds
from tests.makers.access import Agency
from tests.makers.trade import a_stock


class Press:
    """The printers of the house with their papers, which fail as often as they are told to."""

    def __init__(self, database: Database, tenant: Agency, folder: Path) -> None:
        self.database, self.tenant = database, tenant
        self.steps = DocumentActivities(database, FolderStorage(folder))
        self.faults: dict[UUID, list[Exception]] = {}
        self.read = kinds.read

    def reads(self, tx: Tx, document: Document) -> kinds.Printer:
        printer = self.read(tx, document)

        def printed() -> bytes:
            if self.faults.get(document.id):
                raise self.faults[document.id].pop()
            return printer()

        return printed

    def a_paper(self, *faults: Exception) -> UUID:
        """A receipt whose printing meets these faults before it goes well."""
        stock = a_stock(self.database, self.tenant)
        with self.database.transaction(self.tenant.id) as tx:
            document_id = asking.request_receipt(tx, stock.receipt_id)
        self.faults[document_id] = list(faults)
        return document_id

    def render(self, document_id: UUID) -> Made:
        return self.steps.render(DocumentStep(tenant_id=self.tenant.id, document_id=document_id))

    def render_each(self, *document_ids: UUID) -> tuple[UUID, ...]:
        step = PapersStep(tenant_id=self.tenant.id, document_ids=document_ids)
        return self.steps.render_each(step).document_ids

    def row(self, document_id: UUID) -> Document:
        with self.database.transaction(self.tenant.id) as tx:
            found = documents.find(tx, document_id)
        assert found is not None
        return found

    def is_waited_for(self, document_id: UUID) -> bool:
        """A letter with this paper does not leave yet."""
        return (self.row(document_id).storage_key, self.row(document_id).failure) == (None, None)


@pytest.fixture
def press(database: Database, tenant: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Press:
    made = Press(database, tenant, tmp_path / "documents")
    monkeypatch.setattr(kinds, "read", made.reads)
    return made


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        RuntimeError("no such font"),
        KeyError("a template's own"),
        psycopg.InterfaceError("the connection is closed"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_of_printing_is_raised_so_that_it_is_tried_again(press: Press, fault: Exception) -> None:
    paper = press.a_paper(fault)

    with pytest.raises(type(fault)):
        press.render(paper)

    assert press.is_waited_for(paper)
    assert press.render(paper).storage_key == press.row(paper).storage_key is not None


def test_a_fault_that_stays_is_final_in_the_end_and_begins_anew_when_asked_again(press: Press) -> None:
    paper = press.a_paper(*[MemoryError() for _ in range(TRIES + 1)])

    for _ in range(TRIES - 1):
        with pytest.raises(MemoryError):
            press.render(paper)
        assert press.is_waited_for(paper)
    assert str(press.render(paper).failure).startswith("MemoryError")

    with press.database.transaction(press.tenant.id) as tx:
        asking.request_again(tx, paper)
    with pytest.raises(MemoryError):
        press.render(paper)
    assert press.render(paper).failure is None


def test_an_outage_is_no_try(press: Press) -> None:
    paper = press.a_paper(MemoryError(), *[OSError(28, "No space left on device") for _ in range(TRIES)])

    for _ in range(TRIES):
        with pytest.raises(OSError, match="No space"):
            press.render(paper)
    with pytest.raises(MemoryError):
        press.render(paper)

    assert press.is_waited_for(paper)


def test_what_has_failed_in_the_end_is_not_printed_once_more_by_a_step_that_runs_twice(press: Press) -> None:
    paper = press.a_paper()
    with press.database.transaction(press.tenant.id) as tx:
        documents.fail(tx, paper, failure="MemoryError: ")

    assert press.render(paper) == Made(storage_key=None, failure="MemoryError: ")


def test_one_bad_paper_holds_up_no_other_and_has_all_its_tries(press: Press) -> None:
    bad, good = press.a_paper(*[RuntimeError("no such font") for _ in range(TRIES)]), press.a_paper()

    with pytest.raises(RuntimeError, match="no such font"):
        press.render_each(bad, good)
    assert (press.row(good).storage_key is None, press.is_waited_for(bad)) == (False, True)

    for _ in range(TRIES - 2):
        with pytest.raises(RuntimeError, match="no such font"):
            press.render_each(bad, good)
    assert press.is_waited_for(bad)
    assert press.render_each(bad, good) == ()
    assert str(press.row(bad).failure).startswith("RuntimeError")


def test_a_paper_that_is_tried_again_goes_behind_those_that_are_left(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_A_STRETCH", -1.0)
    bad, first, second = press.a_paper(MemoryError()), press.a_paper(), press.a_paper()

    assert press.render_each(bad, first, second) == (second, bad)
    assert press.render_each(second, bad) == (bad,)
    assert press.render_each(bad) == ()
