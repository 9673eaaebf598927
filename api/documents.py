"""Handing out a document: held until it has been made elsewhere, then its bytes; never rendered in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from activities.documents import hurry, request_again
from api.asking import Asked
from api.problems import PROBLEMS, Rejected
from db import documents
from db.documents import Document
from gateways.storage import DamagedDocument, NoSuchDocument, Storage

LONGEST = 20.0
"""Seconds a request is held (contract section 6)."""

PATIENT = 0.5
"""Seconds after which the document is made before all those that nobody waits for."""

FIRST_LOOK, SLOWEST_LOOK = 0.03, 0.4
COME_AGAIN: Mapping[str, str] = {"Retry-After": "5"}


async def answer_document(asked: Asked, document_id: UUID, storage: Storage) -> Response:
    """The document's bytes; made now, or again, if they are not there.

    Rejected `document_pending` when it takes longer than a request is held, `document_failed`, or the refusal that
    keeps it from being made.
    """
    document = await run_in_threadpool(_begun, asked, document_id, storage)
    if _is_pending(document):
        document = await _made(asked, document_id, seconds=min(PATIENT, LONGEST))
    if _is_pending(document):
        await run_in_threadpool(_hurry, asked, document_id)
        document = await _made(asked, document_id, seconds=LONGEST - PATIENT)
    if _is_pending(document):
        words = "the document is still being made; ask again"
        raise Rejected("document_pending", words, facts={"document_id": str(document_id)}, headers=COME_AGAIN)
    if document.storage_key is None:
        raise _failed(document)
    content = await run_in_threadpool(storage.get, document.storage_key)
    return Response(content, headers=_headers(document), media_type=document.media_type)


async def _made(asked: Asked, document_id: UUID, *, seconds: float) -> Document:
    """The document, looked at again and again until it has been made, has failed, or the seconds are over."""
    give_up = time.monotonic() + seconds
    pause = FIRST_LOOK
    document = await run_in_threadpool(_look, asked, document_id)
    while _is_pending(document) and time.monotonic() < give_up:
        await asyncio.sleep(pause)
        pause = min(pause * 1.4, SLOWEST_LOOK)
        document = await run_in_threadpool(_look, asked, document_id)
    return document


def _is_pending(document: Document) -> bool:
    return document.storage_key is None and document.failure is None


def _hurry(asked: Asked, document_id: UUID) -> None:
    with asked.transaction() as tx:
        hurry(tx, document_id)


def _begun(asked: Asked, document_id: UUID, storage: Storage) -> Document:
    """The document as it is; one that failed before, or whose bytes are lost or damaged, is asked for once more."""
    document = _look(asked, document_id)
    lost = document.storage_key is not None and not _is_whole(storage, document.storage_key)
    if lost or document.failure is not None:
        with asked.transaction() as tx:
            request_again(tx, document_id)
        return _look(asked, document_id)
    return document


def _look(asked: Asked, document_id: UUID) -> Document:
    with asked.transaction() as tx:
        document = documents.find(tx, document_id)
    assert document is not None, "a document row is never deleted"
    return document


def _is_whole(storage: Storage, storage_key: str) -> bool:
    try:
        storage.get(storage_key)
    except (NoSuchDocument, DamagedDocument):
        return False
    return True


def _failed(document: Document) -> Rejected:
    """A refusal keeps its own code; whatever else went wrong is for the log and the administrator."""
    code, _, words = (document.failure or "").partition(": ")
    if code in PROBLEMS and PROBLEMS[code].status < 500:
        return Rejected(code, words)
    return Rejected("document_failed", "the document could not be made", facts={"document_id": str(document.id)})


def _headers(document: Document) -> dict[str, str]:
    return {
        "ETag": f'"{(document.storage_key or "")[:24]}"',
        "Content-Disposition": disposition(document.filename),
    }


def disposition(filename: str) -> str:
    """A download under this name, in the two spellings of RFC 6266."""
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "'").replace("\\", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}"
