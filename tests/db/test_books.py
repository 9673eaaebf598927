"""The journal's guards: entries balance and tie to their seats, are complete when written, and stay as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from db import ledger
from db.ids import new_id
from db.transaction import Database, Tx
from domain.ledger import Account, Entry, EntryKind, Leg, SeatMove
from tests import ground
from tests.conftest import CloneMaker
from tests.ground import Clone
from tests.makers.access import Agency, an_agency
from tests.makers.rows import a_row

Connection = psycopg.Connection[Any]

WHEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVENT, SUPPLIER = UUID(int=1), UUID(int=2)


@dataclass(frozen=True)
class Books:
    """One agency's books, in a database that a test may break."""

    clone: Clone
    database: Database
    agency: Agency

    def post(self, entry: Entry, *, key: str | None = None) -> UUID:
        with self.database.transaction(self.agency.id, actor="omar") as tx:
            return posted(tx, entry, key=key)

    def owner(self) -> Connection:
        return psycopg.connect(self.clone.owner_url, autocommit=True)


def posted(tx: Tx, entry: Entry, *, key: str | None = None) -> UUID:
    subject = new_id()
    return ledger.post(
        tx, entry, key=key or f"test {subject}", subject_object="receipt", subject_id=subject, occurred_at=WHEN
    )


def a_delivery(seats: int = 3, *, cost: str = "20.00") -> Entry:
    """1200 against 2110, each seat at its cost."""
    amount = seats * Decimal(cost)
    return Entry(
        EntryKind.DELIVERY,
        "EUR",
        (
            Leg(Account.TICKET_INVENTORY, amount, EVENT, SUPPLIER, "Parkett", quantity=seats),
            Leg(Account.GOODS_RECEIVED_NOT_BILLED, -amount, EVENT, SUPPLIER, "Parkett"),
        ),
        tuple(
            SeatMove((new_id(),), Account.TICKET_INVENTORY, 1, Decimal(cost), EVENT, SUPPLIER, "Parkett")
            for _ in range(seats)
        ),
    )


@pytest.fixture
def books(another_clone: CloneMaker) -> Iterator[Books]:
    clone = another_clone()
    with Database(clone.app_url) as database:
        yield Books(clone, database, an_agency(database))


@pytest.fixture(scope="module")
def shared(worker_name: str) -> Iterator[Books]:
    """Books that no test breaks."""
    with ground.clone(f"{worker_name}_books") as clone, Database(clone.app_url) as database:
        yield Books(clone, database, an_agency(database))


def test_a_balanced_entry_is_written_with_legs_and_seats(shared: Books) -> None:
    entry_id = shared.post(a_delivery(3))

    with shared.database.transaction(shared.agency.id) as tx:
        legs = tx.dicts(
            "SELECT account, amount, quantity FROM journal_legs WHERE entry_id = %s ORDER BY leg", (entry_id,)
        )
        moves = tx.value("SELECT count(*) FROM seat_movements WHERE entry_id = %s", (entry_id,))
    assert [(leg["account"], leg["amount"], leg["quantity"]) for leg in legs] == [
        ("1200", Decimal("60.00"), 3),
        ("2110", Decimal("-60.00"), 0),
    ]
    assert moves == 3


def test_the_same_key_writes_once(shared: Books) -> None:
    first, second = (shared.post(a_delivery(), key="delivery 1") for _ in range(2))

    assert first == second


def test_ten_thousand_seats_are_one_quick_entry(shared: Books) -> None:
    entry = a_delivery(10_000)
    began = time.perf_counter()

    shared.post(entry)

    # A check per leg took 19 s; the limit leaves room for a busy machine.
    assert time.perf_counter() - began < 5


def unbalanced() -> Entry:
    entry = a_delivery()
    first, second = entry.legs
    return replace(entry, legs=(first, replace(second, amount=second.amount + Decimal("0.01"))))


def without_a_seat() -> Entry:
    entry = a_delivery()
    return replace(entry, moves=entry.moves[1:])


def with_a_dearer_seat() -> Entry:
    entry = a_delivery()
    first, *rest = entry.moves
    return replace(entry, moves=(replace(first, cost=first.cost + 1), *rest))


def in_another_section() -> Entry:
    entry = a_delivery()
    first, *rest = entry.moves
    return replace(entry, moves=(replace(first, section="Rang"), *rest))


FAULTY = {
    "does not balance": unbalanced,
    "does not tie to its seats": without_a_seat,
    "does not tie to its seats: 1200": with_a_dearer_seat,
    "Rang": in_another_section,
}


@pytest.mark.parametrize("words", FAULTY)
def test_a_faulty_entry_fails_its_transaction(shared: Books, words: str) -> None:
    with pytest.raises(psycopg.Error, match=words) as caught:
        shared.post(FAULTY[words](), key=f"faulty {words}")

    with shared.database.transaction(shared.agency.id) as tx:
        assert tx.value("SELECT count(*) FROM journal_entries WHERE key = %s", (f"faulty {words}",)) == 0
    assert caught.value.sqlstate in ("AL001", "AL002")


@pytest.mark.parametrize("words", FAULTY)
def test_without_its_guard_a_faulty_entry_would_be_kept(books: Books, words: str) -> None:
    with books.owner() as owner:
        owner.execute("DROP TRIGGER entry_balances ON journal_entries")

    kept = books.post(FAULTY[words]())

    with books.owner() as owner:
        assert owner.execute("SELECT id FROM journal_entries").fetchall() == [(kept,)]


LATE_LEG = """INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, effective_at,
    accounting_date, recorded_at) SELECT tenant_id, entry_id, 99, kind, '1000', currency, 0.01, effective_at,
    accounting_date, recorded_at FROM journal_legs WHERE entry_id = %s AND leg = 1"""
LATE_MOVE = """INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id,
    section) SELECT tenant_id, entry_id, gen_random_uuid(), account, 1, 0, event_id, supplier_id, section
    FROM seat_movements WHERE entry_id = %s LIMIT 1"""


@pytest.mark.parametrize("late", [LATE_LEG, LATE_MOVE], ids=["leg", "seat"])
def test_nothing_joins_an_entry_afterwards(shared: Books, late: str) -> None:
    entry_id = shared.post(a_delivery())

    refused = pytest.raises(psycopg.Error, match="complete when its transaction ends")
    with refused as caught, shared.database.transaction(shared.agency.id) as tx:
        tx.run(late, (entry_id,))

    assert caught.value.sqlstate == "AL003"


STRAY_MOVE = """INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id,
    section) SELECT id, gen_random_uuid(), gen_random_uuid(), '1200', 1, 20, gen_random_uuid(), gen_random_uuid(), 'Parkett'
    FROM tenants"""


def test_a_seat_moves_by_an_entry_that_is_there(shared: Books) -> None:
    with pytest.raises(psycopg.Error) as caught, shared.database.transaction(shared.agency.id) as tx:
        tx.run(STRAY_MOVE)

    assert caught.value.sqlstate == "AL003"


@pytest.mark.parametrize(("late", "table"), [(LATE_LEG, "journal_legs"), (LATE_MOVE, "seat_movements")])
def test_without_its_guard_something_would(books: Books, late: str, table: str) -> None:
    entry_id = books.post(a_delivery())
    with books.owner() as owner:
        owner.execute(f"DROP TRIGGER joins_no_old_entry ON {table}".encode())

    with books.database.transaction(books.agency.id) as tx:
        assert tx.run(late, (entry_id,)) == 1


REWRITE = "UPDATE {} SET tenant_id = tenant_id"
TABLES = ("journal_entries", "journal_legs", "seat_movements")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", [REWRITE, "DELETE FROM {}"])
def test_even_the_owner_corrects_by_reversal_only(shared: Books, table: str, verb: str) -> None:
    shared.post(a_delivery())

    with shared.owner() as owner, pytest.raises(psycopg.Error, match="append-only") as caught:
        owner.execute(verb.format(table).encode())

    assert caught.value.sqlstate == "AL004"


@pytest.mark.parametrize("table", TABLES)
def test_without_its_guard_the_owner_could_rewrite(books: Books, table: str) -> None:
    books.post(a_delivery())

    with books.owner() as owner:
        owner.execute(f"DROP TRIGGER append_only ON {table}".encode())
        touched = owner.execute(REWRITE.format(table).encode()).rowcount

    assert touched > 0


@pytest.mark.parametrize("table", TABLES)
def test_the_application_may_not_rewrite_anyway(shared: Books, table: str) -> None:
    shared.post(a_delivery())

    with shared.database.transaction(shared.agency.id) as tx, pytest.raises(errors.InsufficientPrivilege):
        tx.run(REWRITE.format(table))


def test_the_day_of_an_entry_is_the_agencys(shared: Books) -> None:
    late = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    with shared.database.transaction(shared.agency.id) as tx:
        entry_id = ledger.post(
            tx, a_delivery(), key="at night", subject_object="receipt", subject_id=new_id(), occurred_at=late
        )
        day = tx.value("SELECT accounting_date::text FROM journal_entries WHERE id = %s", (entry_id,))

    assert day == "2026-11-02"


def test_a_report_waits_for_those_who_are_writing(shared: Books) -> None:
    with shared.database.transaction(shared.agency.id) as writer:
        posted(writer, a_delivery())
        with shared.database.transaction(shared.agency.id) as reader:
            reader.run("SET LOCAL lock_timeout = '200ms'")
            with pytest.raises(errors.LockNotAvailable), reader.savepoint():
                ledger.settle_books(reader)

    with shared.database.transaction(shared.agency.id) as reader:
        ledger.settle_books(reader)


def test_seats_of_another_agency_do_not_balance_an_entry(shared: Books) -> None:
    """The check counts within the entry's own agency, whoever runs it."""
    with shared.owner() as owner:
        before = owner.execute("SELECT count(*) FROM journal_entries").fetchone()
        a_row(owner, "seat_movements", tenant_id=new_id())

    with pytest.raises(psycopg.Error, match="does not tie"):
        shared.post(without_a_seat())

    with shared.owner() as owner:
        assert owner.execute("SELECT count(*) FROM journal_entries").fetchone() == before
