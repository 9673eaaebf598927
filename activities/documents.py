"""Documents: asked for once by a key, rendered away from requests, kept by the hash of their content."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import psycopg
import structlog
from temporalio import activity

from activities.beating import beating
from db import documents, outbox
from db import papers as rows
from db.documents import Document, Unmade
from db.ids import new_id
from db.transaction import Database, DatabaseAway, Tx
from domain.booking import TicketStatus
from domain.states import Refused
from gateways.storage import Storage
from reports import contents, kinds
from reports.requests import Request

log = structlog.get_logger("documents")

PROCESS, PAPERS = "Document", "Papers"
ReportFormat = Literal["pdf", "xlsx"]

_MEDIA_TYPES: dict[ReportFormat, str] = {"pdf": kinds.PDF, "xlsx": kinds.XLSX}
# What may be over the next time it is tried; anything else is a fault of the facts or of ours.
_OUTAGES = (DatabaseAway, psycopg.OperationalError, OSError)
# Seconds after which a printer of many lets whoever waits for a paper come first.
AT_A_STRETCH = 2.0


@dataclass(frozen=True, kw_only=True)
class DocumentStep:
    """A document to be made; `urgent` while somebody waits for it."""

    tenant_id: UUID
    document_id: UUID
    urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class PapersStep:
    """Documents of one agency that nobody waits for, in the order in which they are to be made."""

    tenant_id: UUID
    document_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Where it lies, or why it cannot be made."""

    storage_key: str | None
    failure: str | None = None


def request_document(
    tx: Tx,
    *,
    kind: str,
    key: str,
    subject_id: UUID | None,
    filename: str,
    media_type: str,
    parameters: Mapping[str, Any],
) -> UUID:
    """Ask for a document in the transaction that needs it; the same key is the same document, made once.

    The key must name everything that makes the content differ.
    """
    document_id = documents.add(
        tx,
        kind=kind,
        key=key,
        subject_id=subject_id,
        filename=filename,
        media_type=media_type,
        parameters=parameters,
    )
    if document_id is None:
        known = documents.of_key(tx, key)
        assert known is not None, "a taken key has a document"
        return known.id
    outbox.paper(tx, document_id, key=str(document_id))
    return document_id


def request_again(tx: Tx, document_id: UUID) -> None:
    """Ask once more for a document that failed, or whose bytes are gone."""
    if documents.forget(tx, document_id):
        _ask_anew(tx, document_id)


def request_lost(tx: Tx, lost: Sequence[Unmade]) -> int:
    """Ask once more for documents whose process is gone; how many of them are still not made."""
    left = documents.take_back(tx, lost)
    for document_id in left:
        _ask_anew(tx, document_id)
    return len(left)


def _ask_anew(tx: Tx, document_id: UUID) -> None:
    outbox.paper(tx, document_id, key=f"{document_id}/{new_id()}")


def hurry(tx: Tx, document_id: UUID) -> None:
    """Somebody waits for it: let it be made before those that nobody waits for. Twice is once."""
    argument = {"tenant_id": str(tx.tenant_id), "document_id": str(document_id), "urgent": True}
    outbox.start(tx, process=PROCESS, process_id=f"document/{document_id}/now", argument=argument)


def request_order(tx: Tx, order_id: UUID) -> UUID:
    """The order's paper as it stands; a changed order has another. LookupError when there is none."""
    order = rows.order(tx, order_id)
    mark = contents.order_mark(order)
    return request_document(
        tx,
        kind="purchase_order",
        key="/".join(filter(None, ("purchase-order", str(order_id), str(order.version), mark))),
        subject_id=order_id,
        filename=f"{order.po_number}.pdf",
        media_type=kinds.PDF,
        parameters={"mark": mark},
    )


def request_receipt(tx: Tx, receipt_id: UUID) -> UUID:
    """The receipt's paper; there is only ever one. LookupError when there is no such receipt."""
    return request_document(
        tx,
        kind="receipt",
        key=f"receipt/{receipt_id}",
        subject_id=receipt_id,
        filename=f"{rows.receipt(tx, receipt_id).receipt_number}.pdf",
        media_type=kinds.PDF,
        parameters={},
    )


def request_tickets(tx: Tx, booking_id: UUID) -> UUID:
    """One file with the booking's confirmed tickets. Raises Refused `ticket_not_valid` when it has none."""
    valid = [row for row in rows.tickets_of(tx, booking_id) if row.status == TicketStatus.CONFIRMED]
    if not valid:
        raise Refused("ticket_not_valid", "This booking has no confirmed tickets.")
    # Tickets of a booking only ever become fewer, so their number tells which they are.
    return request_document(
        tx,
        kind="tickets",
        key=f"tickets/{booking_id}/{len(valid)}/{valid[0].event_version}",
        subject_id=booking_id,
        filename=f"{valid[0].booking_number}-tickets.pdf",
        media_type=kinds.PDF,
        parameters={},
    )


def request_ticket(tx: Tx, ticket_id: UUID) -> UUID:
    """One ticket's paper. Raises Refused `ticket_not_valid` unless it is confirmed."""
    ticket = rows.ticket(tx, ticket_id)
    if ticket.status != TicketStatus.CONFIRMED:
        raise Refused("ticket_not_valid", f"This ticket is {ticket.status}.", facts={"ticket_status": ticket.status})
    return request_document(
        tx,
        kind="ticket",
        key=f"ticket/{ticket_id}/{ticket.event_version}",
        subject_id=ticket_id,
        filename=f"{ticket.ticket_number}.pdf",
        media_type=kinds.PDF,
        parameters={},
    )


def request_report(tx: Tx, request: Request, *, form: ReportFormat) -> UUID:
    """A report as a file; the same asking is the same file."""
    parameters = request.parameters()
    asked = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    return request_document(
        tx,
        kind="report",
        key=f"report/{request.name}/{form}/{asked}",
        subject_id=None,
        filename=f"{request.name}-{request.scope.as_of:%Y-%m-%d}.{form}",
        media_type=_MEDIA_TYPES[form],
        parameters=parameters,
    )


class DocumentActivities:
    """Making one document, or many one after the other."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    # Without the exception: a worker that stops is no fault of the document, and must not be kept as one.
    @activity.defn(name="documents.render", no_thread_cancel_exception=True)
    @beating
    def render(self, at: DocumentStep) -> Made:
        """Read the facts, print them, keep the bytes, say where they lie; run twice, it keeps the same bytes again.

        A letter that waits for it leaves at once. An outage is raised and tried again; what cannot be made from the facts there are is recorded as the failure.
        """
        return self._make(at)

    # As above.
    @activity.defn(name="documents.render_each", no_thread_cancel_exception=True)
    @beating
    def render_each(self, at: PapersStep) -> PapersStep:
        """Make these as `render` would, each with its own end, for a stretch of seconds; returns those that are left.

        An outage is raised; what was made until then is not made again.
        """
        until = time.monotonic() + AT_A_STRETCH
        for number, document_id in enumerate(at.document_ids, 1):
            self._make(DocumentStep(tenant_id=at.tenant_id, document_id=document_id))
            if time.monotonic() > until:
                return replace(at, document_ids=at.document_ids[number:])
        return replace(at, document_ids=())

    def _make(self, at: DocumentStep) -> Made:
        with self._database.transaction(at.tenant_id) as tx:
            document = documents.find(tx, at.document_id)
        assert document is not None, "a document row is never deleted"
        if document.storage_key is not None:
            return Made(storage_key=document.storage_key)
        try:
            content = self._printed(at, document)
        except _OUTAGES:
            raise
        except Exception as fault:  # noqa: BLE001 -- whatever is wrong with a row or a template, the asker must hear of it
            return self._failed(at, document, fault)
        storage_key = self._storage.put(content, suffix=kinds.SUFFIXES[document.media_type])
        with self._database.transaction(at.tenant_id) as tx:
            documents.store(tx, at.document_id, storage_key=storage_key, size=len(content))
            outbox.wake_letters(tx, at.document_id)
        return Made(storage_key=storage_key)

    def _printed(self, at: DocumentStep, document: Document) -> bytes:
        with self._database.transaction(at.tenant_id) as tx:
            documents.only_read(tx)
            printer = kinds.read(tx, document)
        # Printing takes seconds; no connection waits for it.
        return printer()

    def _failed(self, at: DocumentStep, document: Document, fault: Exception) -> Made:
        if isinstance(fault, Refused):
            failure = str(fault)
        else:
            failure = f"{type(fault).__name__}: {fault}"
            log.error("a document cannot be made", document_id=str(document.id), kind=document.kind, exc_info=fault)
        with self._database.transaction(at.tenant_id) as tx:
            documents.fail(tx, at.document_id, failure=failure[:500])
            outbox.wake_letters(tx, at.document_id)
        return Made(storage_key=None, failure=failure[:500])
