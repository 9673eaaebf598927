"""What the database itself holds of a delivery: receipts and seats that name each other, and seats that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

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
