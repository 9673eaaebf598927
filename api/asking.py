"""Who asks and how: the credential, the request id, the idempotency key and the other headers of one request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from activities.access import hashed
from api.problems import Rejected
from db import idempotency
from db.transaction import Database, Tx, Unauthenticated
from domain.access import allows


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request, as far as it does not depend on what it asks for."""

    database: Database
    secret_hash: bytes | None
    method: str
    path: str
    request_id: str
    key: str | None
    if_match: str | None
    wait: float

    @classmethod
    def of(cls, request: Request) -> Asked:
        """Read the headers."""
        headers = request.headers
        return cls(
            database=request.app.state.database,
            secret_hash=_secret_hash(headers),
            method=request.method,
            path=request.scope["path"],
            request_id=request.state.request_id,
            key=headers.get("idempotency-key"),
            if_match=headers.get("if-match"),
            wait=_wait(headers.get("prefer", "")),
        )

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """A transaction as the asker; 401 when nobody holds the secret."""
        if self.secret_hash is None:
            raise Rejected("unauthenticated", "no access token or API key was sent")
        try:
            with self.database.authenticated(self.secret_hash, request_id=self.request_id) as tx:
                yield tx
        except Unauthenticated:
            raise Rejected("unauthenticated", "the access token or API key is unknown, expired or revoked") from None

    def idempotency(self, tx: Tx) -> idempotency.Request | None:
        """What the Idempotency-Key, if any, is good for."""
        if not self.key or tx.principal is None:
            return None
        if len(self.key) > 255 or not self.key.isprintable():
            raise Rejected("invalid", "Idempotency-Key: at most 255 printable characters")
        return idempotency.Request(principal=tx.principal.key, method=self.method, path=self.path, key=self.key)


def _secret_hash(headers: Mapping[str, str]) -> bytes | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    secret = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    return hashed(secret) if secret else None


def _wait(prefer: str) -> float:
    """The seconds of `Prefer: wait=n`, at most 30."""
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "wait" and value.strip().isdecimal() and value.isascii():
            return min(float(value.strip()[:4]), 30.0)
    return 0.0


def require(tx: Tx, permission: str) -> None:
    """403 unless the principal has it."""
    if not allowed(tx, permission):
        raise Rejected("forbidden", f"this call needs the permission {permission}", facts={"permission": permission})


def allowed(tx: Tx, permission: str) -> bool:
    """Whether the principal may also see or do this."""
    return tx.principal is not None and allows(tx.principal.permissions, needed=permission)


def fault(pointer: str, code: str, message: str) -> dict[str, str]:
    """One entry of a problem's `errors`."""
    return {"pointer": pointer, "code": code, "message": message}


def replay(tx: Tx, request: idempotency.Request, fingerprint: str) -> idempotency.Remembered | None:
    """The first answer to this key; refuses a key that is still busy or was used for something else."""
    if not idempotency.hold(tx, request):
        raise Rejected("request_in_progress", "the first request with this Idempotency-Key is still running")
    known = idempotency.recall(tx, request)
    if known is not None and known.fingerprint != fingerprint:
        raise Rejected("idempotency_key_reused", "this Idempotency-Key was used for a different request")
    return known


def replayed(known: idempotency.Remembered) -> Response:
    """The remembered answer, marked as one."""
    headers = {**known.headers, "Idempotent-Replayed": "true"}
    media_type = headers.pop("content-type", None)
    headers.pop("content-length", None)
    return Response(known.body.encode(), known.status, headers, media_type=media_type)


def remember(
    tx: Tx,
    request: idempotency.Request,
    fingerprint: str,
    status: int,
    body: bytes,
    headers: Mapping[str, Any],
    operation_id: UUID | None = None,
) -> None:
    """Keep the answer; a secret that is shown once is not kept."""
    text = body.decode()
    if text and '"key":' in text:
        shown = json.loads(text)
        if isinstance(shown, dict) and shown.pop("key", None) is not None:
            text = json.dumps(shown, separators=(",", ":"))
    idempotency.remember(
        tx, request, fingerprint=fingerprint, status=status, body=text, headers=headers, operation_id=operation_id
    )
