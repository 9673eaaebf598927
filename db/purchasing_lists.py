"""Lists of purchase orders: the derived status as SQL, so that a list can be filtered by what no column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from db.purchasing import ORDER, Line, Order, OrderWithLines, lines_of
from db.transaction import Tx

# The twin of domain.purchasing.order_status; tests/db/test_purchasing.py holds the two together. `open` and `received`
# are sums over the lines.
STATUS_SQL = """CASE
    WHEN received > 0 AND open > 0 THEN 'PARTIALLY_RECEIVED'
    WHEN received > 0 THEN 'COMPLETED'
    WHEN cancelled_at IS NOT NULL THEN 'CANCELLED'
    WHEN submitted_at IS NULL THEN 'DRAFT'
    WHEN confirmed_at IS NULL THEN 'PENDING'
    WHEN open > 0 THEN 'CONFIRMED'
    ELSE 'CANCELLED' END"""

COUNTS_SQL = """SELECT coalesce(sum(received_quantity), 0) AS received,
    coalesce(sum(greatest(confirmed_quantity - received_quantity - cancelled_quantity, 0)), 0) AS open
    FROM purchase_order_lines AS l WHERE l.purchase_order_id = o.id"""


@dataclass(frozen=True, slots=True)
class Sort:
    """A way to sort: the expression, the type its cursor text is read back as, and what that text looks like."""

    expression: str
    type: str
    pattern: str

    def reads(self, text: str) -> bool:
        """Whether a cursor's text can be such a key."""
        return re.fullmatch(self.pattern, text, re.ASCII) is not None


# Moments and days sort as text, so that no cursor, however forged, can fail to be read back.
_TEXT = r"[ -~]{1,60}"
SORTS = {
    "created_at": Sort("to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", "text", _TEXT),
    "po_number": Sort("(lpad(length(po_number)::text, 3, '0') || po_number)", "text", _TEXT),
    # An order without an expected date comes after all that have one.
    "expected_date": Sort("coalesce(to_char(expected_date, 'YYYY-MM-DD'), '~')", "text", _TEXT),
    "total_amount": Sort("total_amount", "numeric", r"[0-9]{1,12}(\.[0-9]{1,2})?"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """Which orders; None means any. `q` is part of a number, a reference or a supplier's name."""

    status: Sequence[str] | None = None
    supplier_id: UUID | None = None
    event_id: UUID | None = None
    q: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed(Order):
    """An order's header as a list sorted it: `sort_key` is the key's text, for the cursor."""

    sort_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """What an order has come to so far: received, billed and still open, and how many bills."""

    purchase_order_id: UUID
    received_amount: Decimal
    billed_amount: Decimal
    open_amount: Decimal
    bills: int


def listed(
    tx: Tx, filters: Filters, *, sort: str, descending: bool, after: tuple[str, UUID] | None, limit: int
) -> list[Listed]:
    """A page of orders, one more than `limit`; ties are broken by id in the same direction."""
    by = SORTS[sort]
    compare, direction = ("<", "DESC") if descending else (">", "ASC")
    return tx.all(
        f"""SELECT {ORDER}, {by.expression}::text AS sort_key
            FROM purchase_orders AS o CROSS JOIN LATERAL ({COUNTS_SQL}) AS counts
            WHERE (%(status)s::text[] IS NULL OR {STATUS_SQL} = ANY(%(status)s))
              AND (%(supplier)s::uuid IS NULL OR supplier_id = %(supplier)s)
              AND (%(event)s::uuid IS NULL OR EXISTS (SELECT FROM purchase_order_lines AS l
                                                      WHERE l.purchase_order_id = o.id AND l.event_id = %(event)s))
              AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(concat_ws(chr(10), po_number, reference,
                  supplier_reference, (SELECT name FROM suppliers AS s WHERE s.id = o.supplier_id)))) > 0)
              AND (%(key)s::text IS NULL OR ({by.expression}, id) {compare} (%(key)s::{by.type}, %(id)s::uuid))
            ORDER BY {by.expression} {direction}, id {direction} LIMIT %(limit)s""",
        {
            "status": None if filters.status is None else list(filters.status),
            "supplier": filters.supplier_id,
            "event": filters.event_id,
            "q": filters.q,
            "key": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit + 1,
        },
        into=Listed,
    )


def with_lines(tx: Tx, orders: Sequence[Order]) -> dict[UUID, OrderWithLines]:
    """Orders by id, each with its lines, in two round trips however many they are."""
    lines: dict[UUID, list[Line]] = {}
    for line in lines_of(tx, [order.id for order in orders]):
        lines.setdefault(line.purchase_order_id, []).append(line)
    return {order.id: OrderWithLines(order, tuple(lines.get(order.id, ()))) for order in orders}


def amounts(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, Amounts]:
    """What each of several orders has come to; receipts and bills are one to one (unique key on the receipt)."""
    rows = tx.all(
        """SELECT o AS purchase_order_id, coalesce(r.total, 0) AS received_amount, coalesce(b.amount, 0) AS billed_amount,
               coalesce(b.open, 0) AS open_amount, b.count AS bills
           FROM unnest(%s::uuid[]) AS o
           CROSS JOIN LATERAL (SELECT sum(total_amount) AS total FROM receipts WHERE purchase_order_id = o) AS r
           CROSS JOIN LATERAL (SELECT sum(amount) AS amount, sum(open_amount) AS open, count(*) AS count
                               FROM bills WHERE purchase_order_id = o) AS b""",
        (list(order_ids),),
        into=Amounts,
    )
    return {row.purchase_order_id: row for row in rows}
