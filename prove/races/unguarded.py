"""A part of the product with one of its guards taken away: `PROVE_WITHOUT=order python -m prove.races.unguarded api`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import cli

VARIABLE = "PROVE_WITHOUT"

CONDITION = """
      AND (s.status = 'AVAILABLE' OR (s.status = 'RESERVED' AND s.held_until <= now()))
    ORDER BY s.id FOR NO KEY UPDATE OF s"""
ENDS_LAPSED = "WHERE whole.got_all AND l.status = 'RESERVED'"
BY_ID = "ORDER BY s.id FOR NO KEY UPDATE OF s"
BY_CHANCE = "ORDER BY md5(s.id::text || w.ticket_id::text) FOR NO KEY UPDATE OF s"


def without_lock() -> None:
    """Check, then save: what was read as free is taken, whatever became of it meanwhile."""
    from db import reserving

    reserving.TAKE = _changed(reserving.TAKE, {CONDITION: "", ENDS_LAPSED: "WHERE false"})


def without_order() -> None:
    """Seats are locked in any order."""
    from db import reserving

    reserving.TAKE = _changed(reserving.TAKE, {BY_ID: BY_CHANCE})


def without_confirm() -> None:
    """Money that comes sells the seats it was meant for, whoever has them now."""
    from activities import booking as steps
    from db import seating

    def all_of_them(tx: Any, booking: Any) -> Any:
        return seating.take_seats(tx, booking.id)

    steps._seats_to_sell = all_of_them  # noqa: SLF001 -- that is the guard


def without_key() -> None:
    """No answer is kept."""
    from db import idempotency

    def forget(*_: Any, **__: Any) -> None:
        return None

    idempotency.remember = forget


GUARDS: Mapping[str, Callable[[], None]] = {
    "lock": without_lock,
    "order": without_order,
    "confirm": without_confirm,
    "key": without_key,
}


def _changed(statement: str, words: Mapping[str, str]) -> str:
    """The statement with other words. Raises LookupError when it does not have them: the control would control nothing."""
    for old, new in words.items():
        if old not in statement:
            raise LookupError(f"the statement has changed: {old}")
        statement = statement.replace(old, new)
    return statement


if __name__ == "__main__":
    GUARDS[os.environ[VARIABLE]]()
    cli.main()
