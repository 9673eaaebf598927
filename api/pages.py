"""Pages of a list: an opaque cursor over the sort key, and whether there is more."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query

from api.asking import fault
from api.problems import Rejected
from api.resources import as_uuid
from api.shapes import Page

R = TypeVar("R")
S = TypeVar("S")

Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most 200")]
After = Annotated[str | None, Query(max_length=2000, description="`next` of the page before")]


def page(rows: Sequence[R], limit: int, shape: Callable[[R], S], cursor: Callable[[R], Any]) -> Page[S]:
    """A page from one row more than `limit`."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(data=[shape(row) for row in shown], next=encode(cursor(shown[-1])) if more else None, has_more=more)


def part(rows: Sequence[R], limit: int, after: str | None, shape: Callable[[R], S]) -> Page[S]:
    """A page of a list that is read whole. Its cursor counts the rows that are left: new ones come in front of those."""
    left = decode(after) if after is not None else len(rows)
    if type(left) is not int or not 0 <= left <= len(rows):
        raise _strange()
    first = len(rows) - left
    shown = rows[first : first + limit]
    left -= len(shown)
    return Page(data=[shape(row) for row in shown], next=encode(left) if left else None, has_more=left > 0)


def encode(position: Any) -> str:
    """A position in the list as an opaque text."""
    return base64.urlsafe_b64encode(json.dumps(position, default=str).encode()).decode().rstrip("=")


def decode(after: str | None) -> Any:
    """The position a cursor stands for; 422 for one we did not make."""
    if after is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        json.dumps(position, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _strange() from None
    if position is None:
        raise _strange()
    return position


def id_after(after: str | None) -> UUID | None:
    """A cursor that is an id."""
    position = decode(after)
    if position is None:
        return None
    found = as_uuid(position) if isinstance(position, str) else None
    if found is None:
        raise _strange()
    return found


def keys_after(after: str | None, *, count: int) -> tuple[str, ...] | None:
    """A cursor that is a few texts."""
    position = decode(after)
    if position is None:
        return None
    if not (isinstance(position, list) and len(position) == count and all(isinstance(key, str) for key in position)):
        raise _strange()
    if any("\0" in key for key in position):
        raise _strange()
    return tuple(position)


def _strange() -> Rejected:
    return Rejected(
        "invalid", "this cursor is not one of ours", errors=[fault("?after", "invalid", "use `next` as it came")]
    )
