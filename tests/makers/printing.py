"""Somebody who prints what is asked for, in place of the documents worker and the engine that would call it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from starlette.testclient import TestClient

from activities.documents import DocumentActivities, DocumentStep, Made
from api.app import build
from db.transaction import Database
from gateways.storage import Storage
from reports import render
from settings import Settings


def waiting(database: Database, tenant_id: UUID) -> list[UUID]:
    """The documents that have been asked for and not been made, oldest first."""
    with database.transaction(tenant_id) as tx:
        return tx.values("SELECT id FROM documents WHERE storage_key IS NULL AND failure IS NULL ORDER BY id")


def print_all(database: Database, tenant_id: UUID, storage: Storage) -> list[Made]:
    """Make everything this agency is waiting for."""
    steps = DocumentActivities(database, storage)
    return [
        steps.render(DocumentStep(tenant_id=tenant_id, document_id=document_id))
        for document_id in waiting(database, tenant_id)
    ]


@contextmanager
def a_printer(database: Database, tenant_id: UUID, storage: Storage) -> Iterator[None]:
    """Make whatever this agency asks for while the block lasts, the newest first: that is what somebody waits for."""
    # Loaded here first: in the thread, warnings that the library gives while it loads would be errors as in every test.
    render.pdf("<p>ready</p>")
    over = threading.Event()
    steps = DocumentActivities(database, storage)

    def work() -> None:
        while not over.wait(0.02):
            for document_id in waiting(database, tenant_id)[-1:]:
                steps.render(DocumentStep(tenant_id=tenant_id, document_id=document_id))

    printer = threading.Thread(target=work)
    printer.start()
    try:
        yield
    finally:
        over.set()
        printer.join()


@contextmanager
def an_api(app_url: str, home: Path) -> Iterator[TestClient]:
    """The API with a home of its own, below which its documents lie."""
    database = Database(app_url, size=12, name="tests-api")
    with TestClient(build(Settings(build_id="test", home=home), database)) as client:
        yield client
