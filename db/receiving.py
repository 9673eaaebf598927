"""Deliveries as rows: the seats they may take, the receipt they leave behind, and who owns a seat from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from db.arrays import literal
from db.transaction import Tx

NOT_OWNED = "NOT_OWNED"


@dataclass(frozen=True, slots=True)
class HallSeat:
    """A seat of an event with what a delivery must know of it."""

    id: UUID
    event_id: UUID
    section: str
    row_label: str
    seat_number: str
    sort_key: str
    ownership_status: str

    @property
    def name(self) -> tuple[str, str, str]:
        """Section, row and seat, as selectors name it."""
        return self.section, self.row_label, self.seat_number

    @property
    def is_free(self) -> bool:
        """Whether a delivery may take it."""
        return self.ownership_status == NOT_OWNED


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A seat that is owned already, and the order it came by."""

    event_seat_id: UUID
    purchase_order_id: UUID | None
    po_number: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReceipt:
    """What a receipt says besides its lines and seats."""

    id: UUID
    purchase_order_id: UUID
    supplier_id: UUID
    delivery_reference: str
    content_hash: str
    delivered_at: datetime
    received_by: str
    seat_count: int
    total_amount: Decimal
    operation_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt(NewReceipt):
    """A receipt's row, with the bill that was drafted from it."""

    receipt_number: str
    bill_id: UUID
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One order line in one delivery: `amount` is quantity times unit price, quantised."""

    id: UUID
    line_id: UUID
    event_id: UUID
    quantity: int
    unit_price: Decimal
    amount: Decimal
    ordered_quantity: int
    received_before: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptSeat:
    """A delivered seat, at its own cost."""

    line_id: UUID
    event_seat_id: UUID
    section: str
    row: str
    seat_number: str
    cost: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenSeats:
    """Seats that a delivery takes on the same terms; without a retail price a seat keeps what it has."""

    event_seat_ids: tuple[UUID, ...]
    line_id: UUID
    purchase_price: Decimal
    cost: Decimal
    retail_price: Decimal | None


RECEIPT = """id, receipt_number, purchase_order_id, supplier_id, delivery_reference, content_hash, delivered_at,
    received_by, seat_count, total_amount, operation_id, created_at,
    (SELECT b.id FROM bills AS b WHERE b.tenant_id = receipts.tenant_id AND b.receipt_id = receipts.id) AS bill_id"""
LINE = "id, line_id, event_id, quantity, unit_price, amount, ordered_quantity, received_before"


def hall(tx: Tx, *, event_ids: Sequence[UUID], sections: Sequence[str] | None = None) -> list[HallSeat]:
    """The seats of some events in human order, of all sections or of these, unlocked."""
    return tx.all(
        """SELECT id, event_id, section, row_label, seat_number, sort_key, ownership_status FROM event_seats
           WHERE event_id = ANY(%(events)s) AND (%(sections)s::text[] IS NULL OR section = ANY(%(sections)s))
           ORDER BY event_id, sort_key""",
        {"events": list(event_ids), "sections": None if sections is None else list(sections)},
        into=HallSeat,
    )


def lock_seats(tx: Tx, seat_ids: Sequence[UUID]) -> set[UUID]:
    """Lock these seats in the order of their ids, as everybody does; returns those that are free."""
    return set(
        tx.values(
            """SELECT id FROM (SELECT id, ownership_status FROM event_seats WHERE id = ANY(%s::uuid[])
                               ORDER BY id FOR NO KEY UPDATE) AS locked WHERE ownership_status = %s""",
            (literal(seat_ids), NOT_OWNED),
        )
    )


def owners(tx: Tx, seat_ids: Sequence[UUID]) -> dict[UUID, Owner]:
    """By which order these seats came."""
    rows = tx.all(
        """SELECT s.id AS event_seat_id, s.purchase_order_id, o.po_number
           FROM event_seats AS s LEFT JOIN purchase_orders AS o ON o.id = s.purchase_order_id WHERE s.id = ANY(%s)""",
        (list(seat_ids),),
        into=Owner,
    )
    return {row.event_seat_id: row for row in rows}


OWN = """
WITH owned AS (
    UPDATE event_seats AS s SET ownership_status = 'OWNED', supplier_id = %(supplier)s, purchase_order_id = %(order)s,
        receipt_id = %(receipt)s, purchase_order_line_id = t.line_id, purchase_price = t.purchase_price, cost = t.cost,
        retail_price = coalesce(t.retail_price, s.retail_price)
    FROM unnest(%(seats)s::uuid[], %(terms)s::int[]) AS d(event_seat_id, term)
        JOIN unnest(%(lines)s::uuid[], %(prices)s::numeric[], %(costs)s::numeric[], %(retail)s::numeric[])
            WITH ORDINALITY AS t(line_id, purchase_price, cost, retail_price, n) ON t.n = d.term
    WHERE s.tenant_id = %(tenant)s AND s.id = d.event_seat_id AND s.ownership_status = 'NOT_OWNED'
    RETURNING s.id, s.purchase_order_line_id, s.cost
), listed AS (
    INSERT INTO receipt_seats (tenant_id, receipt_id, line_id, event_seat_id, cost)
    SELECT %(tenant)s, %(receipt)s, purchase_order_line_id, id, cost FROM owned
)
SELECT count(*) FROM owned"""


def own(tx: Tx, taken: Sequence[TakenSeats], *, receipt: NewReceipt) -> int:
    """Make free seats ours and list them on their (written) receipt, in one statement; returns how many were free."""
    owned: int = tx.value(
        OWN,
        {
            "tenant": tx.tenant_id,
            "supplier": receipt.supplier_id,
            "order": receipt.purchase_order_id,
            "receipt": receipt.id,
            "seats": literal(seat_id for one in taken for seat_id in one.event_seat_ids),
            "terms": literal(number for number, one in enumerate(taken, start=1) for _ in one.event_seat_ids),
            "lines": [one.line_id for one in taken],
            "prices": [one.purchase_price for one in taken],
            "costs": [one.cost for one in taken],
            "retail": [one.retail_price for one in taken],
        },
    )
    return owned


def add(tx: Tx, receipt: NewReceipt, *, lines: Sequence[ReceiptLine]) -> str:
    """Write a receipt and its lines; returns its number. Nothing of it is ever changed."""
    number: str = tx.value(
        """INSERT INTO receipts (tenant_id, id, receipt_number, purchase_order_id, supplier_id, delivery_reference,
               content_hash, delivered_at, received_by, seat_count, total_amount, operation_id)
           VALUES (%s, %s, next_number('GRN', 'receipt_numbers'), %s, %s, %s, %s, %s, %s, %s, %s, %s)
           RETURNING receipt_number""",
        (
            tx.tenant_id,
            receipt.id,
            receipt.purchase_order_id,
            receipt.supplier_id,
            receipt.delivery_reference,
            receipt.content_hash,
            receipt.delivered_at,
            receipt.received_by,
            receipt.seat_count,
            receipt.total_amount,
            receipt.operation_id,
        ),
    )
    _add_lines(tx, receipt.id, lines)
    return number


def of_reference(tx: Tx, *, order_id: UUID, reference: str) -> Receipt | None:
    """The receipt that this delivery reference of this order has led to."""
    return tx.maybe(
        f"SELECT {RECEIPT} FROM receipts WHERE purchase_order_id = %s AND delivery_reference = %s",
        (order_id, reference),
        into=Receipt,
    )


def of_order(tx: Tx, order_id: UUID) -> list[Receipt]:
    """An order's receipts, oldest first."""
    return tx.all(f"SELECT {RECEIPT} FROM receipts WHERE purchase_order_id = %s ORDER BY id", (order_id,), into=Receipt)


def find(tx: Tx, receipt_id: UUID) -> Receipt | None:
    """One receipt of this agency."""
    return tx.maybe(f"SELECT {RECEIPT} FROM receipts WHERE id = %s", (receipt_id,), into=Receipt)


def lines_of(tx: Tx, receipt_id: UUID) -> list[ReceiptLine]:
    """A receipt's lines, in the order's order."""
    columns = ", ".join(f"r.{column.strip()}" for column in LINE.split(","))
    return tx.all(
        f"""SELECT {columns} FROM receipt_lines AS r JOIN purchase_order_lines AS l ON l.id = r.line_id
            WHERE r.receipt_id = %s ORDER BY l.line_number""",
        (receipt_id,),
        into=ReceiptLine,
    )


def seats_of(tx: Tx, receipt_id: UUID) -> list[ReceiptSeat]:
    """A receipt's seats in human order."""
    return tx.all(
        """SELECT r.line_id, r.event_seat_id, s.section, s.row_label AS row, s.seat_number, r.cost
           FROM receipt_seats AS r JOIN event_seats AS s ON s.id = r.event_seat_id
           WHERE r.receipt_id = %s ORDER BY s.sort_key""",
        (receipt_id,),
        into=ReceiptSeat,
    )


def listed(tx: Tx, *, order_id: UUID | None, supplier_id: UUID | None, after: UUID | None, limit: int) -> list[Receipt]:
    """A page of receipts, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {RECEIPT} FROM receipts
            WHERE (%(order)s::uuid IS NULL OR purchase_order_id = %(order)s)
              AND (%(supplier)s::uuid IS NULL OR supplier_id = %(supplier)s)
              AND (%(after)s::uuid IS NULL OR id < %(after)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"order": order_id, "supplier": supplier_id, "after": after, "limit": limit + 1},
        into=Receipt,
    )


def _add_lines(tx: Tx, receipt_id: UUID, lines: Sequence[ReceiptLine]) -> None:
    tx.run_many(
        f"INSERT INTO receipt_lines (tenant_id, receipt_id, {LINE}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                tx.tenant_id,
                receipt_id,
                line.id,
                line.line_id,
                line.event_id,
                line.quantity,
                line.unit_price,
                line.amount,
                line.ordered_quantity,
                line.received_before,
            )
            for line in lines
        ],
    )
