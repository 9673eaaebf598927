"""The outbox: what Temporal or the mail server must still hear of, written in the transaction that caused it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db import history
from db.ids import new_id
from db.transaction import Database, Tx

_ID_AT_END = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One thing to deliver: START a process, UPDATE a process, print a PAPER, or MAIL a letter."""

    tenant_id: UUID
    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime

    @property
    def carries(self) -> UUID | None:
        """What its key ends with when it speaks to a process: the id of an operation, or of a thing of that process."""
        found = _ID_AT_END.search(self.key) if self.kind in ("START", "UPDATE") else None
        return UUID(found.group()) if found else None


def put(tx: Tx, *, kind: str, key: str, payload: Mapping[str, Any]) -> None:
    """Queue a message once: a second one with the same key is dropped. A transaction's messages are written at its end."""
    tx.leave(_write, (new_id(), kind, key, Jsonb(dict(payload))))


def _write(tx: Tx, messages: Sequence[tuple[UUID, str, str, Jsonb]]) -> None:
    tx.run(
        """INSERT INTO outbox (tenant_id, id, kind, key, payload)
           SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::jsonb[])
           ON CONFLICT (tenant_id, key) DO NOTHING""",
        (tx.tenant_id, *map(list, zip(*messages, strict=True))),
    )


def start(
    tx: Tx, *, process: str, process_id: str, argument: Mapping[str, Any], starts_at: datetime | None = None
) -> None:
    """Ask for a process to be started, at once or not before `starts_at`."""
    payload = {"process": process, "process_id": process_id, "argument": dict(argument)}
    if starts_at is not None:
        payload["starts_at"] = starts_at.isoformat()
    put(tx, kind="START", key=f"start {process_id}", payload=payload)


def update(
    tx: Tx,
    *,
    process: str,
    process_id: str,
    argument: Mapping[str, Any],
    verb: str,
    operation_id: UUID,
    starts_at: datetime | None = None,
) -> None:
    """Ask a process to do something; it is started first (with `argument`) should it be missing."""
    payload: dict[str, Any] = {
        "process": process,
        "process_id": process_id,
        "argument": dict(argument),
        "verb": verb,
        "operation_id": str(operation_id),
    }
    if starts_at is not None:
        payload["starts_at"] = starts_at.isoformat()
    put(tx, kind="UPDATE", key=f"update {operation_id}", payload=payload)


def spare_start(tx: Tx, process_id: str) -> bool:
    """Whether nobody has begun to deliver the process's start: then it counts as delivered, and the caller's next message
    has to start the process.
    """
    spared = tx.run(
        """UPDATE outbox SET delivered_at = clock_timestamp()
           WHERE tenant_id = %s AND key = %s AND attempts = 0 AND delivered_at IS NULL""",
        (tx.tenant_id, f"start {process_id}"),
    )
    return spared > 0


def paper(tx: Tx, document_id: UUID, *, key: str) -> None:
    """Ask for a document to be made when there is time, with others of the agency; the key makes it one asking."""
    put(tx, kind="PAPER", key=f"paper {key}", payload={"document_id": str(document_id)})


def mail(tx: Tx, *, key: str, letter: str, subject_id: UUID, to: str, documents: Sequence[UUID] = ()) -> None:
    """Queue a letter to one address; the key makes it one letter however often this is called."""
    put(
        tx,
        kind="MAIL",
        key=f"mail {key}",
        payload={
            "letter": letter,
            "subject_id": str(subject_id),
            "to": to,
            "documents": [str(document) for document in documents],
        },
    )


KINDS = ("START", "UPDATE", "PAPER", "MAIL")
_PAPERS = "SELECT jsonb_array_elements_text(o.payload -> 'documents')::uuid"


def due(db: Database, *, most: int, kinds: Sequence[str] = KINDS) -> dict[UUID, list[UUID]]:
    """The ids of what is due of these kinds, by tenant, oldest first."""
    return db.look_by_tenant("SELECT tenant_id, id FROM due_outbox(%s, %s)", (most, list(kinds)))


def unanswered(db: Database, *, since: timedelta, most: int) -> dict[UUID, list[UUID]]:
    """Messages delivered longer ago than `since` whose operation has not ended, by tenant."""
    return db.look_by_tenant("SELECT tenant_id, id FROM unanswered_messages(%s, %s)", (since, most))


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenProcess:
    """A process that should be running, and the message that would bring it back."""

    tenant_id: UUID
    process_id: str
    message_id: UUID


def open_processes(db: Database, *, since: timedelta, most: int) -> list[OpenProcess]:
    """What has been open for longer than `since`, of every agency."""
    return db.look("SELECT * FROM open_processes(%s, %s)", (since, most), into=OpenProcess)


def send_again(tx: Tx, ids: Sequence[UUID]) -> None:
    """Deliver these once more; ids that are business keys make the effect once."""
    tx.run("UPDATE outbox SET delivered_at = NULL, next_at = now() WHERE id = ANY(%s)", (list(ids),))


def claim(tx: Tx, ids: Sequence[UUID], *, lease: timedelta) -> list[Message]:
    """Lease messages to this dispatcher; another one gets them only after the lease, should this one die."""
    return tx.all(
        """UPDATE outbox SET attempts = attempts + 1, next_at = now() + %(lease)s
           WHERE id IN (SELECT id FROM outbox WHERE id = ANY(%(ids)s) AND delivered_at IS NULL AND next_at <= now()
                        ORDER BY id FOR UPDATE SKIP LOCKED)
           RETURNING tenant_id, id, kind, key, payload, attempts, created_at""",
        {"ids": list(ids), "lease": lease},
        into=Message,
    )


def delivered(tx: Tx, messages: Sequence[Message]) -> None:
    """The other side has accepted these; the operations they carry are running from here on.

    An operation that somebody holds is being carried out already, and whoever does it says what becomes of it. To wait
    for it would be to wait, with the rows of other operations in hand, for a step that may want one of those.
    """
    if not messages:
        return
    tx.run(
        "UPDATE outbox SET delivered_at = clock_timestamp(), last_error = NULL WHERE id = ANY(%s)",
        ([message.id for message in messages],),
    )
    # Named here, not found by their keys in the statement: planned for a table that was empty, that once took 20 s.
    carried = [message.carries for message in messages if message.carries is not None]
    if carried:
        tx.run(
            """UPDATE operations SET status = 'running' WHERE id IN (
                   SELECT id FROM operations WHERE tenant_id = %s AND id = ANY(%s) AND status = 'queued'
                   ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)""",
            (tx.tenant_id, carried),
        )


def hold(tx: Tx, ids: Sequence[UUID]) -> None:
    """Lock these until the transaction ends: whatever was just making one of them due is finished first."""
    tx.run("SELECT FROM outbox WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(ids),))


def again(tx: Tx, message_id: UUID, *, wait: timedelta, error: str) -> None:
    """It was not accepted: try again after a while."""
    tx.run(
        "UPDATE outbox SET next_at = clock_timestamp() + %s, last_error = %s WHERE id = %s",
        (wait, error[:500], message_id),
    )


def again_with_papers(tx: Tx, message_id: UUID, *, wait: timedelta, error: str) -> None:
    """A paper of this letter was missing: try again after a while, or at once when it has been made in between.

    The message is held (`hold`), or the making of the paper could pass by unseen.
    """
    tx.run(
        f"""UPDATE outbox o SET last_error = %s, next_at = clock_timestamp() + CASE WHEN EXISTS (
                SELECT FROM documents d WHERE d.id IN ({_PAPERS}) AND d.storage_key IS NULL AND d.failure IS NULL)
                THEN %s ELSE interval '0' END
            WHERE id = %s""",
        (error[:500], wait, message_id),
    )


def give_up(tx: Tx, letter: Message, *, error: str) -> None:
    """It was refused for good: it is never due again (`send_again` makes it so), and the history of what it is about says why."""
    given_up = tx.run(
        """UPDATE outbox SET next_at = 'infinity', last_error = %s
           WHERE id = %s AND delivered_at IS NULL AND next_at < 'infinity'""",
        (error[:500], letter.id),
    )
    if given_up:
        history.note(
            tx,
            object="letter",
            subject_id=UUID(letter.payload["subject_id"]),
            to_status="letter UNDELIVERABLE",
            reason=f"{letter.payload['letter']}: {error}"[:500],
        )


def wake_letters(tx: Tx, document_id: UUID) -> None:
    """Make every letter due that waits for this document, in the transaction that says what became of it."""
    tx.run(
        """UPDATE outbox SET next_at = clock_timestamp() WHERE id IN (
               SELECT id FROM outbox WHERE delivered_at IS NULL AND kind = 'MAIL' AND payload -> 'documents' ? %s
               AND next_at < 'infinity' ORDER BY id FOR UPDATE)""",
        (str(document_id),),
    )
