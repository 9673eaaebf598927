"""Documents: asked for once by a key, rendered away from requests, kept by the hash of their content."""

import hashlib
import json
import time
from collections import Counter
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
# Waited for, however long it takes.
_OUTAGES = (DatabaseAway, psycopg.OperationalError, OSError)
# How often printing is tried with any other fault before the paper is given up. Most are gone the next time (memory that ran
# out, a connection that broke in the middle); by options.PATIENT so many tries take a minute.
TRIES = 12
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


class _NoFacts(Exception):
    """There is nothing to make this document from; its cause says what is missing."""


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
        # Of each paper by itself: an attempt of the engine's may be about many papers, or the hundredth of an outage. A
        # worker that is started anew counts anew, so a paper may be tried more often, never less.
        self._faults: Counter[UUID] = Counter()

    # Without the exception: a worker that stops is no fault of the document, and must not be kept as one.
    @activity.defn(name="documents.render", no_thread_cancel_exception=True)
    @beating
    def render(self, at: DocumentStep) -> Made:
        """Read the facts, print them, keep the bytes, say where they lie; run twice, it keeps the same bytes again.

        A letter that waits for it leaves at once. Faults are raised and tried again, outages without an end, others TRIES
        times; then, and at once when there are no facts to make it from, the failure is recorded.
        """
        return self._make(at)

    # As above.
    @activity.defn(name="documents.render_each", no_thread_cancel_exception=True)
    @beating
    def render_each(self, at: PapersStep) -> PapersStep:
        """Make these as `render` would, each with its own end, for a stretch of seconds; returns those that are left.

        An outage is raised; what was made until then is not made again. One with a fault to be tried again goes behind the
        others, and its fault is raised when none of them is left: one bad paper holds up nobody's.
        """
        until = time.monotonic() + AT_A_STRETCH
        put_off: dict[UUID, Exception] = {}
        for number, document_id in enumerate(at.document_ids, 1):
            try:
                self._make(DocumentStep(tenant_id=at.tenant_id, document_id=document_id))
            except _OUTAGES:
                raise
            except Exception as fault:  # noqa: BLE001 -- it is raised below
                put_off[document_id] = fault
            left = at.document_ids[number:]
            if left and len(put_off) < number and time.monotonic() > until:
                return replace(at, document_ids=(*left, *put_off))
        for first in put_off.values():
            raise first
        return replace(at, document_ids=())

    def _make(self, at: DocumentStep) -> Made:
        with self._database.transaction(at.tenant_id) as tx:
            document = documents.find(tx, at.document_id)
        assert document is not None, "a document row is never deleted"
        if document.storage_key is not None or document.failure is not None:
            return Made(storage_key=document.storage_key, failure=document.failure)
        try:
            content = self._printed(at, document)
        except Exception as fault:
            if self._is_tried_again(at, fault):
                raise
            return self._failed(at, document, fault)
        self._faults.pop(at.document_id, None)
        storage_key = self._storage.put(content, suffix=kinds.SUFFIXES[document.media_type])
        with self._database.transaction(at.tenant_id) as tx:
            documents.store(tx, at.document_id, storage_key=storage_key, size=len(content))
            outbox.wake_letters(tx, at.document_id)
        return Made(storage_key=storage_key)

    def _printed(self, at: DocumentStep, document: Document) -> bytes:
        with self._database.transaction(at.tenant_id) as tx:
            documents.only_read(tx)
            try:
                printer = kinds.read(tx, document)
            except LookupError as missing:
                raise _NoFacts from missing
        # Printing takes seconds; no connection waits for it.
        return printer()

    def _is_tried_again(self, at: DocumentStep, fault: Exception) -> bool:
        """No try brings facts that are not there, or a paper that the rules refuse; of any other fault there is an end."""
        if isinstance(fault, _OUTAGES):
            return True
        if not isinstance(fault, Refused | _NoFacts):
            self._faults[at.document_id] += 1
            if self._faults[at.document_id] < TRIES:
                return True
        self._faults.pop(at.document_id, None)
        return False

    def _failed(self, at: DocumentStep, document: Document, fault: Exception) -> Made:
        if isinstance(fault, Refused):
            failure = str(fault)
        else:
            cause = fault.__cause__ if isinstance(fault, _NoFacts) else fault
            failure = f"{type(cause).__name__}: {cause}"
            log.error("a document cannot be made", document_id=str(document.id), kind=document.kind, exc_info=fault)
        with self._database.transaction(at.tenant_id) as tx:
            documents.fail(tx, at.document_id, failure=failure[:500])
            outbox.wake_letters(tx, at.document_id)
        return Made(storage_key=None, failure=failure[:500])
