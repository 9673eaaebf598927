"""What the database itself holds of a delivery: receipts and seats that name each other, and seats that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql

from db.ids import new_id
from db.transaction import Database
from tests.conftest import CloneMaker
from tests.makers.access import an_agency
from tests.makers.rows import a_row

LIST = "INSERT INTO receipt_seats (tenant_id, receipt_id, line_id, event_seat_id, cost) VALUES (%s, %s, %s, %s, 1)"
BRING = "UPDATE event_seats SET receipt_id = %s, purchase_order_id = %s, supplier_id = %s WHERE id = %s"


@dataclass(frozen=True)
class Stock:
    """An agency with a seat that came by a receipt, and a receipt that brought nothing."""

    database: Database
    owner: psycopg.Connection
    tenant_id: UUID
    receipt_id: UUID
    other_id: UUID
    seat_id: UUID

    def write(self, statement: str, *values: object) -> int:
        with self.database.transaction(self.tenant_id) as tx:
            return tx.run(statement, values)


@pytest.fixture
def stock(another_clone: CloneMaker) -> Iterator[Stock]:
    clone = another_clone()
    with Database(clone.app_url) as database, psycopg.connect(clone.owner_url, autocommit=True) as owner:
        mine = an_agency(database).id
        receipt_id, other_id = (a_row(owner, "receipts", tenant_id=mine) for _ in range(2))
        seat_id = a_row(owner, "event_seats", tenant_id=mine, receipt_id=receipt_id)
        yield Stock(database, owner, mine, receipt_id, other_id, seat_id)


def list_elsewhere(stock: Stock) -> int:
    return stock.write(LIST, stock.tenant_id, stock.other_id, new_id(), stock.seat_id)


def list_what_is_not_there(stock: Stock) -> int:
    return stock.write(LIST, stock.tenant_id, stock.receipt_id, new_id(), new_id())


def bring_by_another_order(stock: Stock) -> int:
    return stock.write(BRING, stock.receipt_id, new_id(), new_id(), stock.seat_id)


def drop_the_seat(stock: Stock) -> int:
    return stock.write("DELETE FROM event_seats WHERE id = %s", stock.seat_id)


LISTS, STAYS = "lists_seats_of_its_receipt ON receipt_seats", "delivered_seats_stay ON event_seats"
GUARDS: dict[Callable[[Stock], int], str] = {
    list_elsewhere: f"DROP TRIGGER {LISTS}",
    list_what_is_not_there: f"DROP TRIGGER {LISTS}",
    bring_by_another_order: "ALTER TABLE event_seats DROP CONSTRAINT fk_event_seats_receipt",
    drop_the_seat: f"DROP TRIGGER {STAYS}",
}


def test_a_receipt_lists_the_seats_that_came_by_it(stock: Stock) -> None:
    assert stock.write(LIST, stock.tenant_id, stock.receipt_id, new_id(), stock.seat_id) == 1


@pytest.mark.parametrize("act", GUARDS, ids=lambda act: act.__name__)
def test_receipts_and_seats_do_not_contradict_each_other(stock: Stock, act: Callable[[Stock], int]) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        act(stock)


@pytest.mark.parametrize("act", GUARDS, ids=lambda act: act.__name__)
def test_without_its_guard_they_could(stock: Stock, act: Callable[[Stock], int]) -> None:
    stock.owner.execute(GUARDS[act].encode())

    assert act(stock) == 1


MANY = 3000
COPIES = """INSERT INTO event_seats SELECT copy.* FROM event_seats s, generate_series(1, %s) AS n,
    LATERAL jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), 'seat_number', 'copy ' || n)) AS copy
    WHERE s.id = %s"""
ALL_AT_ONCE = """INSERT INTO receipt_seats (tenant_id, receipt_id, line_id, event_seat_id, cost)
    SELECT tenant_id, receipt_id, gen_random_uuid(), id, 1 FROM event_seats WHERE tenant_id = %s"""
TELLING = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_nested_statements = on",
    "SET auto_explain.log_level = 'notice'",
)


def many_seats(stock: Stock, seat_id: UUID) -> None:
    with stock.owner.transaction():
        stock.owner.execute("SET LOCAL session_replication_role = replica")
        stock.owner.execute(COPIES, (MANY, seat_id))


def role_of(database: Database) -> str:
    with database.tenantless() as tx:
        name: str = tx.value("SELECT current_user")
    return name


def plan_of_the_check(stock: Stock) -> str:
    """How PostgreSQL checks one statement that lists all seats of this agency."""
    told: list[str] = []
    stock.owner.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    for statement in TELLING:
        stock.owner.execute(statement)
    with stock.owner.transaction():
        stock.owner.execute("SELECT set_config('allotment.tenant', %s, true)", [str(stock.tenant_id)])
        stock.owner.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role_of(stock.database))))
        stock.owner.execute(ALL_AT_ONCE, [stock.tenant_id])
    (plan,) = [words for words in told if "FROM added" in words]
    return plan


@pytest.fixture
def first_delivery(stock: Stock) -> Stock:
    """An agency with many seats that has come since the planner last looked, into a house that has many."""
    many_seats(stock, stock.seat_id)
    stock.owner.execute("ANALYZE")
    mine = an_agency(stock.database).id
    receipt_id = a_row(stock.owner, "receipts", tenant_id=mine)
    seat_id = a_row(stock.owner, "event_seats", tenant_id=mine, receipt_id=receipt_id)
    newcomer = Stock(stock.database, stock.owner, mine, receipt_id, receipt_id, seat_id)
    many_seats(newcomer, seat_id)
    return newcomer


def test_a_first_delivery_of_many_seats_is_not_compared_each_with_all(first_delivery: Stock) -> None:
    assert "Join Filter" not in plan_of_the_check(first_delivery)


def test_without_its_setting_it_would_be(first_delivery: Stock) -> None:
    first_delivery.owner.execute("ALTER FUNCTION lists_seats_of_its_receipt() RESET ALL")

    assert "Join Filter" in plan_of_the_check(first_delivery)
