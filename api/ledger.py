"""/api/ledger: the trial balance, and the journal's entries with their legs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.asking import fault
from api.books import (
    FILES,
    PROBLEMS,
    Answered,
    AsOf,
    Form,
    From,
    KnownAt,
    To,
    TrialBalance,
    answer_report,
    check_days,
    scope_of,
    sides,
)
from api.desk import Desk
from api.pages import After, Limit, decode, page
from api.problems import Rejected
from api.resources import RESOURCES, URLS, as_uuid, resolve
from api.shapes import Instant, Line, MoneyShape, Page, Shape
from db import journal
from db.journal import Entry, Leg
from db.transaction import Tx
from domain.ledger import Account
from domain.numbers import normal_number
from reports.requests import Request

desk = Desk(tag="ledger")

_NAMES = {account.code: account.label for account in Account}
_NUMBERED = tuple(name for name, resource in RESOURCES.items() if resource.number)
_LAST_ENTRY = 2**63 - 1

Subject = Annotated[
    Line | None,
    Query(description="The id of an order, receipt, bill, supplier, event, booking, payment or refund, or its number"),
]


class LegShape(Shape):
    """One account's share of an entry."""

    account: str
    name: str
    debit: MoneyShape
    credit: MoneyShape
    quantity: int
    event_id: UUID | None
    supplier_id: UUID | None
    section: str | None


class EntrySubject(Shape):
    """What an entry is about."""

    object: str
    id: UUID
    url: str | None


class EntryShape(Shape):
    """A journal entry: it is never changed; a correction is another entry that reverses it."""

    id: UUID
    object: str = "journal_entry"
    number: int
    kind: str
    subject: EntrySubject
    reason: str | None
    by: str
    occurred_at: Instant
    accounting_date: date
    recorded_at: Instant
    reverses_id: UUID | None
    legs: Sequence[LegShape]


@desk.reads("/ledger/trial-balance", needs="ledger:read", problems=PROBLEMS, shape=TrialBalance, responses=FILES)
def read_trial_balance(tx: Tx, as_of: AsOf = None, known_at: KnownAt = None, form: Form = "json") -> Answered:
    """Read the trial balance: every account's balance at a moment; they sum to zero."""
    scope = scope_of(tx, as_of=as_of, known_at=known_at)
    return answer_report(tx, Request(name="trial-balance", scope=scope), form=form)


@desk.reads("/ledger/entries", needs="ledger:read")
def list_entries(
    tx: Tx,
    subject: Subject = None,
    from_date: From = None,
    to_date: To = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[EntryShape]:
    """List journal entries with their legs, newest first; a thing's include those of what hangs on it, as an order's bills."""
    check_days(from_date, to_date)
    rows = journal.entries(
        tx,
        subject_id=None if subject is None else _subject(tx, subject),
        from_date=from_date,
        to_date=to_date,
        after=_number_after(after),
        limit=limit,
    )
    legs = journal.legs(tx, [row.id for row in rows])
    return page(rows, limit, lambda row: _entry(row, legs[row.id]), lambda row: row.entry_number)


def _subject(tx: Tx, text: str) -> UUID:
    """The id that a subject names; a number nobody has is an id nobody has."""
    found = as_uuid(text)
    if found is not None:
        return found
    number = normal_number(text) or text
    for parameter in _NUMBERED:
        known = resolve(tx, parameter, number)
        if known is not None:
            return known
    return UUID(int=0)


def _number_after(after: str | None) -> int | None:
    position = decode(after)
    if position is None:
        return None
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= _LAST_ENTRY:
        words = "use `next` as it came"
        raise Rejected("invalid", "this cursor is not one of ours", errors=[fault("?after", "invalid", words)])
    return position


def _entry(row: Entry, legs: Sequence[Leg]) -> EntryShape:
    url = URLS.get(row.subject_object)
    return EntryShape(
        id=row.id,
        number=row.entry_number,
        kind=row.kind,
        subject=EntrySubject(
            object=row.subject_object, id=row.subject_id, url=url.format(id=row.subject_id) if url else None
        ),
        reason=row.reason,
        by=row.by,
        occurred_at=row.occurred_at,
        accounting_date=row.accounting_date,
        recorded_at=row.recorded_at,
        reverses_id=row.reverses_id,
        legs=[_leg(leg) for leg in legs],
    )


def _leg(leg: Leg) -> LegShape:
    debit, credit = sides(leg.amount, leg.currency)
    return LegShape(
        account=leg.account,
        name=_NAMES[leg.account],
        debit=debit,
        credit=credit,
        quantity=leg.quantity,
        event_id=leg.event_id,
        supplier_id=leg.supplier_id,
        section=leg.section,
    )
