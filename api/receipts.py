"""/api/receipts: what was delivered, seat by seat, as it was taken in."""

from __future__ import annotations

from uuid import UUID

from api.desk import Desk
from api.pages import After, Limit, id_after, page
from api.receipt_shapes import ReceiptDetailShape, ReceiptShape
from api.shapes import Page
from db import access, receiving
from db.transaction import Tx

desk = Desk(tag="receipts")


@desk.reads("/receipts", needs="receipts:read")
def list_receipts(
    tx: Tx,
    purchase_order_id: UUID | None = None,
    supplier_id: UUID | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ReceiptShape]:
    """List receipts, newest first."""
    rows = receiving.listed(tx, order_id=purchase_order_id, supplier_id=supplier_id, after=id_after(after), limit=limit)
    currency = access.tenant(tx).currency
    return page(rows, limit, lambda row: ReceiptShape.of(row, currency), lambda row: row.id)


@desk.reads("/receipts/{receipt_id}", needs="receipts:read", single=True)
def read_receipt(tx: Tx, receipt_id: UUID) -> ReceiptDetailShape:
    """Read a receipt with every seat of it and what each cost."""
    receipt = receiving.find(tx, receipt_id)
    assert receipt is not None, "the path has been resolved"
    return ReceiptDetailShape.whole(
        receipt,
        access.tenant(tx).currency,
        lines=receiving.lines_of(tx, receipt_id),
        seats=receiving.seats_of(tx, receipt_id),
    )
