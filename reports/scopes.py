"""What the books' reports share: the quiet moment they wait for, what their groups were called, and rows worth printing."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from db import access
from db import reports as sums
from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Tx
from domain.money import Money
from domain.profit import Report as Found
from reports import books

R = TypeVar("R")


def begun(tx: Tx, scope: Scope) -> books.Scope:
    """The scope in the words of the paper, once nobody is posting at its moment any more (accounting.md B)."""
    sums.await_quiet(tx, scope)
    return books.Scope(
        as_of=scope.as_of,
        currency=access.tenant(tx).currency,
        known_at=scope.known_at,
        parameters=_filters(tx, scope),
    )


def labels(tx: Tx, scope: Scope, *, group_by: GroupBy) -> dict[str, str]:
    """What the groups were called at the scope's moment, by key; a section is called what it is."""
    named = {} if group_by == "section" else sums.labels(tx, thing=group_by, at=scope.as_of)
    return {sums.NOBODY: f"No {group_by}", **named}


def worth_saying(found: Found[R]) -> Found[R]:
    """Without the rows in which everything is zero."""
    return replace(found, rows=tuple(row for row in found.rows if _says_something(row)))


def _says_something(row: Any) -> bool:
    figures = (getattr(row, field.name) for field in fields(row))
    return any(
        not figure.is_zero if isinstance(figure, Money) else isinstance(figure, int) and figure for figure in figures
    )


def _filters(tx: Tx, scope: Scope) -> tuple[tuple[str, str], ...]:
    """What was asked for, as a reader says it."""
    asked: list[tuple[str, str]] = []
    if scope.from_date:
        asked.append(("From", scope.from_date.isoformat()))
    if scope.to_date:
        asked.append(("To", scope.to_date.isoformat()))
    if scope.event_id:
        named = sums.labels(tx, thing="event", at=scope.as_of)
        asked.append(("Event", named.get(str(scope.event_id), str(scope.event_id))))
    return tuple(asked)
