"""Documents: what was asked to be made, where its bytes lie once they are, and why not when they cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db.ids import new_id
from db.transaction import Database, Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A paper or a report's file. It has a `storage_key` once it is made, a `failure` when it cannot be."""

    id: UUID
    kind: str
    key: str
    subject_id: UUID | None
    parameters: dict[str, Any]
    filename: str
    media_type: str
    storage_key: str | None
    size: int
    failure: str | None
    created_at: datetime
    stored_at: datetime | None


COLUMNS = """id, kind, key, subject_id, parameters, filename, media_type, storage_key, size, failure, created_at,
    stored_at"""


def find(tx: Tx, document_id: UUID) -> Document | None:
    """One document."""
    return tx.maybe(f"SELECT {COLUMNS} FROM documents WHERE id = %s", (document_id,), into=Document)


def of_key(tx: Tx, key: str) -> Document | None:
    """The document this key stands for: the same key is the same content."""
    return tx.maybe(f"SELECT {COLUMNS} FROM documents WHERE key = %s", (key,), into=Document)


def add(
    tx: Tx,
    *,
    kind: str,
    key: str,
    subject_id: UUID | None,
    filename: str,
    media_type: str,
    parameters: Mapping[str, Any],
) -> UUID | None:
    """Ask for a document once; None when its key is taken."""
    made: UUID | None = tx.value(
        """INSERT INTO documents (tenant_id, id, kind, key, subject_id, filename, media_type, parameters)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (tenant_id, key) DO NOTHING RETURNING id""",
        (tx.tenant_id, new_id(), kind, key, subject_id, filename, media_type, Jsonb(dict(parameters))),
    )
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmade:
    """A document that is not made yet, and the process that is to make it."""

    tenant_id: UUID
    document_id: UUID
    process_id: str


def unmade(db: Database, *, since: timedelta, most: int) -> list[Unmade]:
    """What was handed to a process and is not made, asked for longer than `since` ago, of every agency; the oldest first."""
    return db.look("SELECT * FROM unmade_papers(%s, %s)", (since, most), into=Unmade)


def hand_over(tx: Tx, document_ids: Sequence[UUID], *, process_id: str) -> None:
    """This process is to make them from now on."""
    tx.run(
        "UPDATE documents SET process_id = %s WHERE id = ANY(%s) AND storage_key IS NULL",
        (process_id, list(document_ids)),
    )


def take_back(tx: Tx, lost: Sequence[Unmade]) -> list[UUID]:
    """Those of them that are still not made, and no process's any more."""
    return tx.values(
        """UPDATE documents d SET process_id = NULL FROM unnest(%s::uuid[], %s::text[]) AS lost(id, process_id)
           WHERE d.id = lost.id AND d.process_id = lost.process_id AND d.storage_key IS NULL AND d.failure IS NULL
           RETURNING d.id""",
        ([one.document_id for one in lost], [one.process_id for one in lost]),
    )


def store(tx: Tx, document_id: UUID, *, storage_key: str, size: int) -> None:
    """Its bytes lie there; making it again changes nothing."""
    tx.run(
        """UPDATE documents SET storage_key = %s, size = %s, failure = NULL, stored_at = clock_timestamp()
           WHERE id = %s AND storage_key IS NULL""",
        (storage_key, size, document_id),
    )


def fail(tx: Tx, document_id: UUID, *, failure: str) -> None:
    """It cannot be made from the facts there are."""
    tx.run("UPDATE documents SET failure = %s WHERE id = %s AND storage_key IS NULL", (failure, document_id))


def forget(tx: Tx, document_id: UUID) -> bool:
    """Let it be made again, after a failure or when its bytes are gone; False when somebody has asked already."""
    return (
        tx.run(
            """UPDATE documents SET storage_key = NULL, size = 0, failure = NULL, stored_at = NULL, process_id = NULL
               WHERE id = %s AND (storage_key IS NOT NULL OR failure IS NOT NULL)""",
            (document_id,),
        )
        == 1
    )


def only_read(tx: Tx) -> None:
    """From here on this transaction changes nothing: a paper is read, never written."""
    tx.run("SET TRANSACTION READ ONLY")
