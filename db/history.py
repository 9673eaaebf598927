"""History: who changed what from which state to which, when and why, written with the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.arrays import literal
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One line of a thing's history."""

    at: datetime
    by: str
    from_status: str | None
    to_status: str
    reason: str | None


class Note(NamedTuple):
    """The same change of many things, as a row of the statement that writes a transaction's notes."""

    object: str
    by: str
    from_status: str | None
    to_status: str
    reason: str | None
    operation_id: UUID | None
    subject_ids: str


def note(
    tx: Tx,
    *,
    object: str,
    subject_id: UUID,
    to_status: str,
    from_status: str | None = None,
    reason: str | None = None,
    operation_id: UUID | None = None,
) -> None:
    """Note one change of one thing."""
    note_many(
        tx,
        object=object,
        subject_ids=[subject_id],
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        operation_id=operation_id,
    )


def note_many(
    tx: Tx,
    *,
    object: str,
    subject_ids: Sequence[UUID],
    to_status: str,
    from_status: str | None = None,
    reason: str | None = None,
    operation_id: UUID | None = None,
) -> None:
    """Note the same change of many things; all notes of a transaction are written in one statement at its end."""
    tx.leave(_write, Note(object, tx.actor, from_status, to_status, reason, operation_id, literal(subject_ids)))


def _write(tx: Tx, notes: Sequence[Note]) -> None:
    tx.run(
        """INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status, reason, operation_id)
           SELECT %s, n.object, s.id, n.by, n.was, n.now, n.reason, n.operation_id
           FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::text[])
                   WITH ORDINALITY AS n(object, by, was, now, reason, operation_id, ids, line),
               unnest(n.ids::uuid[]) WITH ORDINALITY AS s(id, place) ORDER BY n.line, s.place""",
        (tx.tenant_id, *map(list, zip(*notes, strict=True))),
    )


def note_each(
    tx: Tx, *, object: str, before: Sequence[tuple[UUID, str]], to_status: str, reason: str | None = None
) -> None:
    """Note the same change of many things that were not all in the same state: pairs of id and what it was."""
    for status in sorted({status for _, status in before}):
        ids = [subject_id for subject_id, was in before if was == status]
        note_many(tx, object=object, subject_ids=ids, from_status=status, to_status=to_status, reason=reason)


def of(tx: Tx, subject_id: UUID) -> list[Change]:
    """A thing's history, oldest first."""
    tx.write_left()
    return tx.all(
        "SELECT at, by, from_status, to_status, reason FROM history WHERE subject_id = %s ORDER BY entry",
        (subject_id,),
        into=Change,
    )
