"""Versions of things: an ETag is the answer's own hash, and If-Match holds it against the thing as it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.asking import Asked
from api.problems import Rejected
from api.spec import Spec
from db import access
from db.transaction import Tx

_READERS: dict[str, Spec] = {}
"""The GET of each single thing by its path: its answer's hash is the thing's ETag."""


def note_reader(spec: Spec) -> None:
    """A route that reads one thing."""
    _READERS[spec.path] = spec


def reader_of(path: str) -> Spec | None:
    """The GET whose ETag guards a call: of its path up to the last parameter, else of what that parameter names."""
    before, brace, _ = path.rpartition("}")
    subject = before + brace if brace else path
    named = subject[subject.rfind("{") :] if brace else None
    return _READERS.get(subject) or next(
        (reader for path, reader in _READERS.items() if named and path.endswith(named) and path.count("{") == 1), None
    )


def misses(tx: Tx, asked: Asked, spec: Spec, names: Mapping[str, UUID]) -> Rejected | None:
    """428 where If-Match is required, 412 where one was sent and names another version; for the desk to raise."""
    if spec.requires_if_match and not asked.if_match:
        return Rejected("precondition_required", "send the ETag of the thing you read as If-Match")
    reader = reader_of(spec.path)
    if not asked.if_match or asked.method == "GET" or reader is None:
        return None
    if not reader.path_parameters:
        access.take_tenant(tx)  # What the path does not name is the agency's own; things it names are locked already.
    current = etag(as_json(reader.call(tx, **{name: names[name] for name in reader.path_parameters})))
    if {"*", current} & {tag.strip() for tag in asked.if_match.split(",")}:
        return None
    return Rejected("version_mismatch", "the thing has changed since you read it", headers={"ETag": current})


def etag(body: bytes) -> str:
    """A strong ETag: the answer's own hash."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def as_json(result: Any) -> bytes:
    """An answer's body."""
    if isinstance(result, BaseModel):
        return result.model_dump_json().encode()
    return json.dumps(result, default=str, ensure_ascii=False, separators=(",", ":")).encode()
