"""Operations: the running processes as a person sees them, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db.ids import new_id
from db.transaction import Tx

ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One operation; `error` is {code, detail, errors, facts} of a refusal."""

    id: UUID
    kind: str
    status: str
    waiting_for: str | None
    progress_done: int
    progress_total: int
    progress_unit: str
    subject_object: str
    subject_id: UUID
    subject_number: str | None
    payload: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    requested_by: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED


COLUMNS = """id, kind, status, waiting_for, progress_done, progress_total, progress_unit, subject_object, subject_id,
    subject_number, payload, result, error, requested_by, created_at, ended_at"""
BRIEF = COLUMNS.replace(" payload,", " '{}'::jsonb AS payload,")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What an operation is about: the thing's word, id and human number."""

    object: str
    id: UUID
    number: str | None = None


def open_operation(
    tx: Tx, *, kind: str, subject: Subject, payload: Mapping[str, Any], total: int = 1, unit: str = "steps"
) -> UUID:
    """Write a queued operation; the caller writes its outbox row in the same transaction."""
    operation_id = new_id()
    tx.run(
        """INSERT INTO operations (tenant_id, id, kind, subject_object, subject_id, subject_number, payload,
               progress_total, progress_unit, requested_by, request_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            tx.tenant_id,
            operation_id,
            kind,
            subject.object,
            subject.id,
            subject.number,
            Jsonb(dict(payload)),
            total,
            unit,
            tx.actor,
            tx.request_id,
        ),
    )
    return operation_id


def find(tx: Tx, operation_id: UUID) -> Operation | None:
    """One operation of this tenant, without its payload: that of a large delivery is megabytes, and clients ask often."""
    return tx.maybe(f"SELECT {BRIEF} FROM operations WHERE id = %s", (operation_id,), into=Operation)


def take(tx: Tx, operation_id: UUID) -> Operation:
    """The operation, its row locked until the transaction ends, so that it is carried out once."""
    return tx.one(f"SELECT {COLUMNS} FROM operations WHERE id = %s FOR UPDATE", (operation_id,), into=Operation)


def of_subject(tx: Tx, subject_id: UUID) -> list[Operation]:
    """Everything that was ever started about one thing, newest first."""
    return tx.all(
        f"SELECT {BRIEF} FROM operations WHERE subject_id = %s ORDER BY id DESC LIMIT 200",
        (subject_id,),
        into=Operation,
    )


def listed(tx: Tx, *, status: list[str] | None, kind: str | None, after: UUID | None, limit: int) -> list[Operation]:
    """A page of operations, newest first, one more than `limit` to tell whether there are more."""
    return tx.all(
        f"""SELECT {BRIEF} FROM operations
            WHERE (%(status)s::text[] IS NULL OR status = ANY(%(status)s)) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
              AND (%(after)s::uuid IS NULL OR id < %(after)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"status": status, "kind": kind, "after": after, "limit": limit + 1},
        into=Operation,
    )


def begin(tx: Tx, operation_id: UUID) -> None:
    """It is being worked on."""
    tx.run(
        "UPDATE operations SET status = 'running', waiting_for = NULL WHERE id = %s AND ended_at IS NULL",
        (operation_id,),
    )


def wait(tx: Tx, operation_id: UUID, *, waiting_for: str) -> None:
    """It goes on when somebody or something else has answered."""
    tx.run(
        "UPDATE operations SET status = 'waiting', waiting_for = %s WHERE id = %s AND ended_at IS NULL",
        (waiting_for, operation_id),
    )


def keep_outcome(tx: Tx, operation_id: UUID, *, outcome: Mapping[str, Any]) -> None:
    """What it has done so far, for its result; it goes on. Whoever comes again sees that it was done."""
    tx.run(
        "UPDATE operations SET payload = payload || jsonb_build_object('outcome', %s::jsonb) WHERE id = %s",
        (Jsonb(dict(outcome)), operation_id),
    )


def succeed(tx: Tx, operation_id: UUID, *, result: Mapping[str, Any]) -> None:
    """It ended well, with this result."""
    tx.run(
        """UPDATE operations SET status = 'succeeded', waiting_for = NULL, progress_done = progress_total, result = %s,
               ended_at = clock_timestamp() WHERE id = %s AND ended_at IS NULL""",
        (Jsonb(dict(result)), operation_id),
    )


def fail(tx: Tx, operation_id: UUID, *, error: Mapping[str, Any], result: Mapping[str, Any] | None = None) -> None:
    """It ended in a refusal; nothing of it was kept."""
    tx.run(
        """UPDATE operations SET status = 'failed', waiting_for = NULL, error = %s, result = %s,
               ended_at = clock_timestamp() WHERE id = %s AND ended_at IS NULL""",
        (Jsonb(dict(error)), Jsonb(dict(result)) if result else None, operation_id),
    )


_TROUBLE = "a repair of "
_WITHOUT_TROUBLE = f"NULLIF(regexp_replace(COALESCE(waiting_for, ''), '(; )?{_TROUBLE}.*$', ''), '')"
# A refund's steps know the refund; the operation that people see is its cancellation.
_CONCERNED = "id = ANY(%(ids)s) OR id IN (SELECT cancellation_id FROM refunds WHERE id = ANY(%(ids)s))"


def note_trouble(tx: Tx, ids: Sequence[UUID], *, step: str, failures: int, since: datetime) -> list[UUID]:
    """Say at the open operations among these ids that a step of theirs fails again and again; what else they wait for stays.

    Returns the operations. The status stays too: it is still being worked on, and goes on by itself once it is repaired.
    """
    words = f"{_TROUBLE}step {step}, which has failed {failures} times since {since:%Y-%m-%d %H:%M:%S} UTC"
    return tx.values(
        f"""UPDATE operations SET waiting_for = concat_ws('; ', {_WITHOUT_TROUBLE}, %(words)s::text)
            WHERE ({_CONCERNED}) AND ended_at IS NULL RETURNING id""",
        {"ids": list(ids), "words": words},
    )


def clear_trouble(tx: Tx, ids: Sequence[UUID]) -> None:
    """The step has succeeded: only what else they wait for is left."""
    tx.run(
        f"UPDATE operations SET waiting_for = {_WITHOUT_TROUBLE} WHERE ({_CONCERNED}) AND waiting_for LIKE %(like)s",
        {"ids": list(ids), "like": f"%{_TROUBLE}%"},
    )
