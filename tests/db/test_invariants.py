"""A clean world violates nothing, and whatever is broken by hand is seen by the invariant that is there for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

import oracle
from activities.upkeep import close_event
from db import invariants
from db.ids import new_id
from db.invariants import Invariant, Outside
from db.transaction import Database
from domain.money import Money
from gateways.payments import SimulatedPayments
from oracle import outside as looked
from oracle import page
from tests import ground
from tests.ground import Clone
from tests.makers.access import Agency, an_agency
from tests.makers.breaks import BREAKS, GIVEN_UP
from tests.makers.payments import our_side_of_a_provider
from tests.makers.trade import (
    Stock,
    a_basket,
    a_cancellation,
    a_payment,
    a_sale,
    a_stock,
    an_order,
    confirmed,
    paid,
)

NAMES = [one.name for one in invariants.invariants()]


@dataclass(frozen=True)
class World:
    """One agency that has bought, sold, cancelled, given back, paid in advance and closed an event; and another."""

    clone: Clone
    agency: Agency
    other: Agency
    stock: Stock
    booking: UUID
    provider: SimulatedPayments

    def outside(self, **more: Any) -> Outside:
        """What the house's other parts say, as things are."""
        known = {
            "provider_book": [looked.told(line) for line in self.provider.book()],
            "processes": self.processes(),
            "awake_since": datetime.now(UTC) - timedelta(hours=1),
        }
        return Outside(**{**known, **more})

    def processes(self) -> list[str]:
        """The processes that ought to run."""
        queries = (
            "SELECT 'booking/' || id FROM bookings WHERE status = 'RESERVED'",
            """SELECT 'purchase-order/' || id FROM purchase_orders WHERE submitted_at IS NOT NULL AND id IN (
                   SELECT purchase_order_id FROM purchase_order_lines WHERE confirmed_quantity > received_quantity)""",
            "SELECT 'cancellation/' || cancellation_id FROM refunds WHERE status IN ('REQUESTED', 'SUBMITTED')",
        )
        with psycopg.connect(self.clone.owner_url) as connection:
            return [row[0] for query in queries for row in connection.execute(query).fetchall()]


@pytest.fixture(scope="module")
def world(worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A database of this file's own: what is broken in it is rolled back."""
    with (
        ground.clone(f"{worker_name}_oracle") as clone,
        our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as provider,
        Database(clone.app_url, name="tests") as database,
    ):
        yield a_world(clone, database, provider)


def a_world(clone: Clone, database: Database, provider: SimulatedPayments) -> World:
    agency, other = an_agency(database), an_agency(database, name="Harbour")
    stock = a_stock(database, agency)
    paid(database, agency, stock.order_id, amount=Decimal("50.00"))
    booking = a_sale(database, stock, stock.seats[:3], provider=provider)
    a_cancellation(database, agency.id, booking, provider=provider, tickets=1)
    whole = a_sale(database, stock, stock.seats[3:5], provider=provider)
    a_cancellation(database, agency.id, whole, provider=provider, settled=False)
    a_sale(database, stock, stock.seats[5:6], provider=provider, captured=False)
    a_basket(database, stock, stock.seats[6:8])
    a_payment(database, agency.id, a_basket(database, stock, stock.seats[8:9]))
    an_advance(database, agency, stock)
    over = a_stock(database, agency, title="Over", seats=2, starts_in=-timedelta(hours=4))
    with database.transaction(agency.id) as tx:
        assert close_event(tx, over.event_id) == 2
    a_stock(database, other)
    return World(clone, agency, other, stock, booking, provider)


def an_advance(database: Database, agency: Agency, stock: Stock) -> None:
    """An order of seats not delivered yet, half paid."""
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        order_id = an_order(tx, stock.event_id, stock.supplier_id, seats=2)
    confirmed(database, agency, order_id)
    paid(database, agency, order_id, amount=Decimal("20.00"))


def found(world: World, name: str, *, outside: Outside | None = None, broken_by: Sequence[str] = ()) -> list[str]:
    """What one invariant finds after these statements of the owner, which are rolled back; in words."""
    invariant = next(one for one in invariants.invariants() if one.name == name)
    with invariants.audit(world.clone.owner_url, outside or world.outside()) as connection:
        if broken_by:
            broken(connection, world, broken_by)
        return [f"{row.subject} {row.fault}" for row in invariants.violations(connection, invariant)]


def broken(connection: psycopg.Connection[Any], world: World, statements: Sequence[str]) -> None:
    """Start over in a transaction that may write, as the owner, past every trigger and constraint of the tables."""
    settings = connection.execute(
        """SELECT 'allotment.' || name, current_setting('allotment.' || name)
           FROM unnest(ARRAY['provider_book', 'processes', 'awake_since', 'arrows']) AS name"""
    ).fetchall()
    role = connection.execute("SELECT current_user").fetchone()
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement.format(**facts(world)) if "DO $$" not in statement else statement)
    for name, value in settings:
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
    assert role is not None
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role[0])))


def facts(world: World) -> dict[str, Any]:
    return {
        "tenant": world.agency.id,
        "other": world.other.id,
        "event": world.stock.event_id,
        "supplier": world.stock.supplier_id,
        "order": world.stock.order_id,
        "receipt": world.stock.receipt_id,
        "bill": world.stock.bill_id,
        "booking": world.booking,
        "sold": world.stock.seats[1],
        "free": world.stock.seats[9],
        "new": new_id(),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_world_violates_nothing(world: World, name: str) -> None:
    assert found(world, name) == []


@pytest.mark.parametrize("what", BREAKS)
def test_a_row_broken_by_hand_is_seen(world: World, what: str) -> None:
    assert found(world, what.split(maxsplit=1)[0], broken_by=BREAKS[what]) != []


def test_every_invariant_has_seen_something() -> None:
    seen = {what.split(maxsplit=1)[0] for what in BREAKS} | {"S6"}

    assert seen == set(NAMES)


def test_an_open_booking_without_its_process_is_seen(world: World) -> None:
    old = "UPDATE bookings SET created_at = now() - interval '1 min'"
    sent = "UPDATE outbox SET delivered_at = now()"

    rows = found(world, "S6", outside=world.outside(processes=[]), broken_by=[old, sent])

    assert any("booking BK-" in row and "no process booking/" in row for row in rows)


def test_an_open_order_without_its_process_is_seen(world: World) -> None:
    old = "UPDATE purchase_orders SET submitted_at = now() - interval '1 min'"
    sent = "UPDATE outbox SET delivered_at = now()"

    rows = found(world, "S6", outside=world.outside(processes=[]), broken_by=[old, sent])

    assert any("purchase_order PO-" in row for row in rows)


def test_a_promise_that_is_still_to_be_let_go_needs_its_process(world: World) -> None:
    due = "UPDATE payments SET void_due = true WHERE failure_reason = 'reservation_expired'"
    old = """UPDATE bookings SET created_at = now() - interval '1 min'
             WHERE id IN (SELECT booking_id FROM payments WHERE void_due)"""
    sent = "UPDATE outbox SET delivered_at = now()"
    broken_by = [GIVEN_UP, due, old, sent]

    rows = found(world, "S6", outside=world.outside(), broken_by=broken_by)

    assert len(rows) == 1
    assert "no process booking/" in rows[0]
    assert found(world, "M3", outside=world.outside(), broken_by=broken_by) == []


def test_a_process_that_is_still_on_its_way_is_not_missed(world: World) -> None:
    old = "UPDATE bookings SET created_at = now() - interval '1 min'"
    kept = "UPDATE outbox SET delivered_at = NULL"

    rows = found(world, "S6", outside=world.outside(processes=[]), broken_by=[old, kept])

    assert not any("booking BK-" in row for row in rows)


@pytest.mark.parametrize("word", ["has ended", "is not there"])
def test_a_process_without_its_thing_is_seen(world: World, word: str) -> None:
    stray = f"booking/{world.booking}" if word == "has ended" else f"booking/{new_id()}"

    rows = found(world, "S6", outside=world.outside(processes=[*world.processes(), stray]))

    assert len(rows) == 1
    assert word in rows[0]


@pytest.mark.parametrize("name", ["S6", "M3", "B1100"])
def test_what_cannot_be_read_does_not_pass(world: World, name: str) -> None:
    assert found(world, name, outside=Outside()) != []


def test_a_charge_that_is_no_payment_of_ours_is_seen(world: World) -> None:
    stray = {"reference": "ch_x", "description": "BK-1", "currency": "EUR", "captured": "5.00", "refunded": "0.00"}
    book = [*(looked.told(line) for line in world.provider.book()), stray]

    rows = found(world, "M3", outside=world.outside(provider_book=book))

    assert rows == ["charge ch_x for BK-1 took 5.00 and is no payment of ours"]


@pytest.mark.parametrize("name", ["S5", "L1"])
def test_nobody_is_late_while_the_house_sleeps(world: World, name: str) -> None:
    late = [statement for what, statements in BREAKS.items() if what.startswith(name) for statement in statements]

    assert found(world, name, outside=world.outside(awake_since=None), broken_by=late) == []


def test_after_an_outage_there_are_thirty_seconds_to_catch_up(world: World) -> None:
    late, woken = BREAKS["S5 a basket past its time"], datetime.now(UTC) - timedelta(seconds=20)

    assert found(world, "S5", outside=world.outside(awake_since=woken), broken_by=late) == []


def test_the_oracle_can_tell_how_far_the_providers_sum_is_off(world: World) -> None:
    (row,) = found(world, "B1100", outside=world.outside(provider_book=[]))

    sums = oracle.difference(row.removeprefix("account 1100 "))

    assert sums is not None
    assert (sums[0] > 0, sums[1]) == (True, "EUR")


def test_the_auditor_sees_every_agency_and_changes_nothing(world: World) -> None:
    with invariants.audit(world.clone.owner_url, Outside()) as connection:
        agencies = connection.execute("SELECT count(DISTINCT tenant_id) FROM event_seats").fetchone()
        assert agencies == (2,)

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("UPDATE events SET title = 'Hamlet'")


def test_the_auditor_has_no_right_to_write(world: World) -> None:
    with psycopg.connect(world.clone.owner_url) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{connection.info.dbname}_auditor")))

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE events SET title = 'Hamlet'")


def test_the_book_is_read_from_its_file_while_the_provider_is_down(world: World, tmp_path: Path) -> None:
    with our_side_of_a_provider(tmp_path) as provider:
        answer = provider.authorise(key="k", amount=Money.of("5.00", "EUR"), token="tok_ok", description="BK-1")
        provider.capture(key="k/c", authorisation=str(answer.reference), amount=Money.of("5.00", "EUR"))
        spare = provider.authorise(key="l", amount=Money.of("7.00", "EUR"), token="tok_ok", description="BK-2")
        provider.void(key="l/v", authorisation=str(spare.reference))
        asked = [looked.told(line) for line in provider.book()]

    filed = looked._filed(tmp_path / "provider" / "book.sqlite3") or []
    assert [exact(line) for line in filed] == [exact(line) for line in asked]


def exact(line: dict[str, str]) -> dict[str, object]:
    return {**line, **{name: Decimal(line[name]) for name in ("captured", "refunded", "voided")}}


def test_a_provider_that_never_ran_has_an_empty_book(tmp_path: Path) -> None:
    assert looked._filed(tmp_path / "provider" / "book.sqlite3") == []


def test_the_page_is_made_from_the_invariants() -> None:
    written = (Path(page.__file__).parents[1] / "docs" / "invariants.md").read_text(encoding="utf-8")

    assert written == page.page(), "run: python -m oracle.page > docs/invariants.md"


def test_each_invariant_says_what_holds_and_what_guards_it() -> None:
    def is_told(one: Invariant) -> bool:
        return all(words.endswith(".") and len(words) > 20 for words in (one.sentence, one.guard))

    assert [one.name for one in invariants.invariants() if not is_told(one)] == []


def test_a_long_queue_of_documents_is_no_fault_while_it_moves(world: World) -> None:
    late = "UPDATE documents SET created_at = now() - interval '2 min'"
    moving = """UPDATE documents SET stored_at = now(), storage_key = 'key'
                WHERE id = (SELECT id FROM documents ORDER BY id LIMIT 1)"""

    assert found(world, "L1", broken_by=[late]) != []
    assert found(world, "L1", broken_by=[late, moving]) == []


def test_a_letter_may_wait_for_its_papers(world: World) -> None:
    waiting = """UPDATE outbox SET created_at = now() - interval '2 min',
                     delivered_at = CASE WHEN kind <> 'MAIL' OR payload -> 'documents' = '[]' THEN now() END"""
    made = "UPDATE documents SET storage_key = 'key', stored_at = now()"
    made_long_ago = f"{made} - interval '2 min'"

    assert found(world, "L1", broken_by=[waiting]) == []
    assert found(world, "L1", broken_by=[waiting, made]) == []
    assert found(world, "L1", broken_by=[waiting, made_long_ago]) != []


def test_a_letter_refused_for_good_is_at_its_end_and_nothing_else_is(world: World) -> None:
    never = """UPDATE outbox SET created_at = now() - interval '2 min', delivered_at = NULL, next_at = 'infinity',
                   last_error = {error} WHERE kind {kind}"""
    refused, said_nothing, others = (
        never.replace("{error}", error).replace("{kind}", kind)
        for error, kind in (("'550 no'", "= 'MAIL'"), ("NULL", "= 'MAIL'"), ("'550 no'", "<> 'MAIL'"))
    )
    printed = "UPDATE documents SET storage_key = 'key', stored_at = now() - interval '2 min'"

    assert found(world, "L1", broken_by=[printed, refused]) == []
    assert found(world, "L1", broken_by=[printed, said_nothing]) != []
    assert found(world, "L1", broken_by=[printed, others]) != []


def test_a_document_that_younger_ones_have_overtaken_is_stuck(world: World) -> None:
    first = "(SELECT id FROM documents ORDER BY id LIMIT 1)"
    forgotten = f"UPDATE documents SET created_at = now() - interval '10 min' WHERE id = {first}"
    moving = f"UPDATE documents SET stored_at = now(), storage_key = 'key' WHERE id <> {first}"
    hurried = """INSERT INTO outbox (tenant_id, id, kind, key, payload, delivered_at)
                 SELECT tenant_id, id, 'START', 'start document/' || id || '/now', '{{}}', now() FROM documents"""

    assert found(world, "L1", broken_by=[forgotten, moving]) != []
    assert found(world, "L1", broken_by=[forgotten, moving, hurried]) == []
