"""Idempotency keys: the first answer to a key, kept in the transaction of its effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a key is good for: one principal, one method, one path."""

    principal: str
    method: str
    path: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """The first answer; `body` is its JSON text."""

    fingerprint: str
    status: int
    body: str
    headers: dict[str, str]
    operation_id: UUID | None


def hold(tx: Tx, request: Request) -> bool:
    """Hold the key until the transaction ends; False while another request holds it."""
    name = "\n".join((str(tx.tenant_id), request.principal, request.method, request.path, request.key))
    return bool(tx.value("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))", (name,)))


def recall(tx: Tx, request: Request) -> Remembered | None:
    """The answer this key was given within the last 24 hours."""
    return tx.maybe(
        """SELECT fingerprint, status, body, headers, operation_id FROM idempotency_keys
           WHERE principal = %s AND method = %s AND path = %s AND key = %s AND created_at > now() - interval '24 hours'""",
        (request.principal, request.method, request.path, request.key),
        into=Remembered,
    )


def remember(
    tx: Tx,
    request: Request,
    *,
    fingerprint: str,
    status: int,
    body: str,
    headers: Mapping[str, Any],
    operation_id: UUID | None,
) -> None:
    """Keep the answer with the effect: both are committed or neither is."""
    tx.run(
        """INSERT INTO idempotency_keys
               (tenant_id, principal, method, path, key, fingerprint, status, body, headers, operation_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (tenant_id, principal, method, path, key) DO UPDATE
           SET fingerprint = EXCLUDED.fingerprint, status = EXCLUDED.status, body = EXCLUDED.body,
               headers = EXCLUDED.headers, operation_id = EXCLUDED.operation_id, created_at = now()""",
        (
            tx.tenant_id,
            request.principal,
            request.method,
            request.path,
            request.key,
            fingerprint,
            status,
            body,
            Jsonb(dict(headers)),
            operation_id,
        ),
    )


def forget_old(tx: Tx) -> int:
    """Drop this tenant's keys that nobody may rely on any more."""
    return tx.run("DELETE FROM idempotency_keys WHERE created_at < now() - interval '25 hours'")
