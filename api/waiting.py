"""Waiting for an operation: 202 at once, or after as many seconds as the client said it would wait."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from api.asking import Asked
from api.problems import PROBLEMS, Rejected, document
from api.resources import URLS
from api.shapes import OperationShape, Progress, SubjectShape
from db import operations
from db.operations import Operation
from db.transaction import DatabaseAway

FIRST_LOOK, SLOWEST_LOOK = 0.03, 0.4


def shape(operation: Operation) -> OperationShape:
    """An operation row as the contract shows it."""
    url = URLS.get(operation.subject_object)
    return OperationShape(
        id=operation.id,
        kind=operation.kind,
        status=operation.status,
        waiting_for=operation.waiting_for,
        progress=Progress(done=operation.progress_done, total=operation.progress_total, unit=operation.progress_unit),
        subject=SubjectShape(
            object=operation.subject_object,
            id=operation.subject_id,
            number=operation.subject_number,
            url=url.format(id=operation.subject_id) if url else None,
        ),
        result=operation.result,
        error=_problem(operation),
        created_at=operation.created_at,
        ended_at=operation.ended_at,
    )


def _problem(operation: Operation) -> dict[str, Any] | None:
    error = operation.error
    if error is None:
        return None
    code = error["code"] if error["code"] in PROBLEMS else "internal"
    return document(
        code,
        error.get("detail", ""),
        errors=error.get("errors", ()),
        facts=error.get("facts"),
        instance=f"/api/operations/{operation.id}",
    )


async def for_operation(asked: Asked, operation: Operation, *, replayed: bool) -> Response:
    """The 202, held until the operation has ended or the client's patience has.

    The request has been carried out: while nobody can or may ask how it goes on, the operation stands as it did.
    """
    give_up = time.monotonic() + asked.wait
    pause = FIRST_LOOK
    while not operation.ended and time.monotonic() < give_up:
        await asyncio.sleep(min(pause, max(give_up - time.monotonic(), 0.01)))
        pause = min(pause * 1.4, SLOWEST_LOOK)
        with suppress(DatabaseAway, psycopg.OperationalError, Rejected):
            operation = await run_in_threadpool(_look, asked, operation.id)
    headers = {"Location": f"/api/operations/{operation.id}"}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if asked.wait:
        headers["Preference-Applied"] = f"wait={int(asked.wait)}"
    return Response(shape(operation).model_dump_json().encode(), 202, headers, media_type="application/json")


def _look(asked: Asked, operation_id: UUID) -> Operation:
    with asked.transaction() as tx:
        operation = operations.find(tx, operation_id)
        assert operation is not None, "an operation row is never deleted"
        return operation
