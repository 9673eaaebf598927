"""The kinds of documents there are: each reads its facts in a transaction, and is printed from them after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from db.documents import Document
from db.transaction import Tx
from reports import contents, press, requests

Printer = Callable[[], bytes]
"""Makes the bytes from facts already read; the same facts give the same bytes."""

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES = {PDF: ".pdf", XLSX: ".xlsx"}


def read(tx: Tx, document: Document) -> Printer:
    """Everything a document says, read now.

    Raises KeyError for an unknown kind, LookupError for a subject that is not there, Refused when it has no paper.
    """
    return _READERS[document.kind](tx, document)


def _purchase_order(tx: Tx, document: Document) -> Printer:
    # What was asked for as a draft stays one, however quickly the order was sent after it.
    paper = replace(contents.purchase_order(tx, _subject(document)), mark=document.parameters["mark"])
    return lambda: press.purchase_order_pdf(paper)


def _receipt(tx: Tx, document: Document) -> Printer:
    paper = contents.receipt(tx, _subject(document))
    return lambda: press.receipt_pdf(paper)


def _tickets(tx: Tx, document: Document) -> Printer:
    found = contents.tickets(tx, _subject(document))
    return lambda: press.tickets_pdf(found, made_at=document.created_at)


def _ticket(tx: Tx, document: Document) -> Printer:
    found = contents.ticket(tx, _subject(document))
    return lambda: press.tickets_pdf(found, made_at=document.created_at)


def _report(tx: Tx, document: Document) -> Printer:
    report = requests.read(tx, requests.Request.of(document.parameters))
    agency = contents.issuer(tx)

    def printed() -> bytes:
        from reports import frames, report_page

        return report_page.to_pdf(report, issuer=agency) if document.media_type == PDF else frames.to_xlsx(report)

    return printed


def _subject(document: Document) -> UUID:
    if document.subject_id is None:
        raise LookupError(f"a {document.kind} is about something")
    return document.subject_id


_READERS: dict[str, Callable[[Tx, Document], Printer]] = {
    "purchase_order": _purchase_order,
    "receipt": _receipt,
    "tickets": _tickets,
    "ticket": _ticket,
    "report": _report,
}
