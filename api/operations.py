"""/api/operations: the running processes as a person sees them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from api.desk import Desk, operation_of
from api.pages import After, Limit, id_after, page
from api.shapes import Line, OperationShape, Page
from api.waiting import shape
from db import operations
from db.transaction import Tx

desk = Desk(tag="operations")

Status = Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled"]


@desk.reads("/operations", needs="operations:read")
def list_operations(
    tx: Tx,
    status: Annotated[list[Status] | None, Query()] = None,
    kind: Annotated[Line | None, Query(description="e.g. purchase_order.receive")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[OperationShape]:
    """List operations, newest first."""
    wanted = [str(one) for one in status] if status else None
    rows = operations.listed(tx, status=wanted, kind=kind, after=id_after(after), limit=limit)
    return page(rows, limit, shape, lambda row: row.id)


@desk.reads("/operations/{operation_id}", needs="operations:read", single=True)
def read_operation(tx: Tx, operation_id: UUID) -> OperationShape:
    """Read an operation; the answer comes from the database alone."""
    return shape(operation_of(tx, operation_id))
