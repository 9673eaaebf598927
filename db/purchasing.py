"""Purchase orders: their headers and lines as rows, and every change that may be made to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from db.ids import new_id
from db.transaction import Tx
from domain.purchasing import LineFacts, OrderFacts, OrderStatus, order_status


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderTerms:
    """What a buyer says about an order besides its lines."""

    supplier_id: UUID
    fulfillment_method: str
    currency: str
    payment_terms: str
    expected_date: date | None
    reference: str | None
    notes: str | None
    total_amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class LineTerms:
    """What a buyer orders in one line; `seats` are selectors, the prices per seat."""

    event_id: UUID
    description: str
    quantity: int
    unit_price: Decimal
    retail_price: Decimal | None
    seats: Sequence[str]
    line_total: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Order(OrderTerms):
    """An order's header row; its status is not stored."""

    id: UUID
    po_number: str
    supplier_reference: str | None
    version: int
    created_by: str
    created_at: datetime
    submitted_at: datetime | None
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line(LineTerms):
    """An order line's row with what has happened to it."""

    id: UUID
    purchase_order_id: UUID
    line_number: int
    confirmed_quantity: int
    received_quantity: int
    rejected_quantity: int
    cancelled_quantity: int

    @property
    def facts(self) -> LineFacts:
        """As the rules read it."""
        return LineFacts(
            quantity=self.quantity,
            confirmed=self.confirmed_quantity,
            received=self.received_quantity,
            rejected=self.rejected_quantity,
            cancelled=self.cancelled_quantity,
        )


@dataclass(frozen=True, slots=True)
class OrderWithLines:
    """An order and all of its lines, in the order of their numbers: enough to derive every status."""

    order: Order
    lines: tuple[Line, ...]

    @property
    def id(self) -> UUID:
        """The order's id."""
        return self.order.id

    @property
    def facts(self) -> OrderFacts:
        """As the rules read it."""
        return OrderFacts(
            submitted=self.order.submitted_at is not None,
            confirmed=self.order.confirmed_at is not None,
            cancelled=self.order.cancelled_at is not None,
            lines=tuple(line.facts for line in self.lines),
        )

    @property
    def status(self) -> OrderStatus:
        """Derived, never stored (design section 5)."""
        return order_status(self.facts)


TERMS = "supplier_id, fulfillment_method, currency, payment_terms, expected_date, reference, notes, total_amount"
ORDER = f"""id, po_number, {TERMS}, supplier_reference, version, created_by, created_at, submitted_at, confirmed_at,
    cancelled_at, cancellation_reason"""
LINE_TERMS = "event_id, description, quantity, unit_price, retail_price, seats, line_total"
LINE = f"""id, purchase_order_id, line_number, {LINE_TERMS}, confirmed_quantity, received_quantity, rejected_quantity,
    cancelled_quantity"""


def add(tx: Tx, terms: OrderTerms, *, lines: Sequence[LineTerms]) -> UUID:
    """Make a draft with a number of its own."""
    order_id = new_id()
    tx.run(
        f"""INSERT INTO purchase_orders (tenant_id, id, po_number, {TERMS}, created_by)
            VALUES (%s, %s, next_number('PO', 'po_numbers'), %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (tx.tenant_id, order_id, *_values(terms), tx.actor),
    )
    _add_lines(tx, order_id, lines)
    return order_id


def change(tx: Tx, order_id: UUID, terms: OrderTerms, *, lines: Sequence[LineTerms]) -> None:
    """Replace a draft's terms and all of its lines."""
    assignments = ", ".join(f"{column} = %s" for column in TERMS.split(", "))
    tx.run(
        f"UPDATE purchase_orders SET {assignments}, version = version + 1 WHERE id = %s", (*_values(terms), order_id)
    )
    tx.run("DELETE FROM purchase_order_lines WHERE purchase_order_id = %s", (order_id,))
    _add_lines(tx, order_id, lines)


def delete(tx: Tx, order_id: UUID) -> None:
    """Remove a draft; its history stays."""
    tx.run("DELETE FROM purchase_order_lines WHERE purchase_order_id = %s", (order_id,))
    tx.run("DELETE FROM purchase_orders WHERE id = %s", (order_id,))


def find(tx: Tx, order_id: UUID) -> OrderWithLines | None:
    """One order of this agency with its lines, unlocked."""
    order = tx.maybe(f"SELECT {ORDER} FROM purchase_orders WHERE id = %s", (order_id,), into=Order)
    return None if order is None else OrderWithLines(order, tuple(lines_of(tx, [order_id])))


def lock(tx: Tx, order_id: UUID) -> OrderWithLines | None:
    """As find, its row locked: whatever changes an order, its seats' owner or its bills takes this lock first."""
    order = tx.maybe(f"SELECT {ORDER} FROM purchase_orders WHERE id = %s FOR NO KEY UPDATE", (order_id,), into=Order)
    return None if order is None else OrderWithLines(order, tuple(lines_of(tx, [order_id])))


def lines_of(tx: Tx, order_ids: Sequence[UUID]) -> list[Line]:
    """The lines of several orders, each order's in the order of their numbers."""
    return tx.all(
        f"SELECT {LINE} FROM purchase_order_lines WHERE purchase_order_id = ANY(%s) ORDER BY purchase_order_id, line_number",
        (list(order_ids),),
        into=Line,
    )


def submit(tx: Tx, order_id: UUID) -> None:
    """It has gone to the supplier."""
    tx.run("UPDATE purchase_orders SET submitted_at = now(), version = version + 1 WHERE id = %s", (order_id,))


def confirm(tx: Tx, order_id: UUID, *, quantities: Mapping[UUID, int], supplier_reference: str | None) -> None:
    """The supplier's answer by line id; what it does not confirm counts as rejected."""
    tx.run(
        """UPDATE purchase_orders SET confirmed_at = now(), supplier_reference = %s, version = version + 1
           WHERE id = %s""",
        (supplier_reference, order_id),
    )
    tx.run(
        """UPDATE purchase_order_lines AS l SET confirmed_quantity = a.confirmed,
               rejected_quantity = l.quantity - a.confirmed
           FROM unnest(%s::uuid[], %s::int[]) AS a(line_id, confirmed)
           WHERE l.id = a.line_id AND l.purchase_order_id = %s""",
        (list(quantities), list(quantities.values()), order_id),
    )


def receive(tx: Tx, order_id: UUID, *, quantities: Mapping[UUID, int]) -> None:
    """So many seats have come, by line id."""
    _count(tx, order_id, "received_quantity", quantities)
    tx.run("UPDATE purchase_orders SET version = version + 1 WHERE id = %s", (order_id,))


def cancel(tx: Tx, order_id: UUID, *, quantities: Mapping[UUID, int], reason: str) -> None:
    """So many seats are given up, by line id."""
    tx.run(
        """UPDATE purchase_orders SET cancelled_at = now(), cancellation_reason = %s, version = version + 1
           WHERE id = %s""",
        (reason, order_id),
    )
    _count(tx, order_id, "cancelled_quantity", quantities)


def now(tx: Tx) -> datetime:
    """The database's clock, which decides what lies in the future."""
    moment: datetime = tx.value("SELECT clock_timestamp()")
    return moment


def known_events(tx: Tx, event_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these events there are."""
    return set(tx.values("SELECT id FROM events WHERE id = ANY(%s)", (list(event_ids),)))


def buyer_email(tx: Tx, order: Order) -> str | None:
    """Whom to write to about an order: who made it, or, when that was an API key, a buyer or owner of the agency."""
    found: str | None = tx.value(
        """SELECT email FROM users WHERE active AND (email = %s OR role IN ('buyer', 'owner'))
           ORDER BY email = %s DESC, role = 'buyer' DESC, created_at LIMIT 1""",
        (order.created_by, order.created_by),
    )
    return found


def _count(tx: Tx, order_id: UUID, column: str, quantities: Mapping[UUID, int]) -> None:
    tx.run(
        f"""UPDATE purchase_order_lines AS l SET {column} = l.{column} + a.quantity
            FROM unnest(%s::uuid[], %s::int[]) AS a(line_id, quantity)
            WHERE l.id = a.line_id AND l.purchase_order_id = %s""",
        (list(quantities), list(quantities.values()), order_id),
    )


def _add_lines(tx: Tx, order_id: UUID, lines: Sequence[LineTerms]) -> None:
    tx.run_many(
        f"""INSERT INTO purchase_order_lines (tenant_id, id, purchase_order_id, line_number, {LINE_TERMS})
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [(tx.tenant_id, new_id(), order_id, number, *_line_values(line)) for number, line in enumerate(lines, start=1)],
    )


def _values(terms: OrderTerms) -> tuple[object, ...]:
    return tuple(getattr(terms, column) for column in TERMS.split(", "))


def _line_values(line: LineTerms) -> tuple[object, ...]:
    return (
        line.event_id,
        line.description,
        line.quantity,
        line.unit_price,
        line.retail_price,
        list(line.seats),
        line.line_total,
    )
