"""How receipts and bills look in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from api.shapes import Instant, MoneyShape, Shape
from db.payables import Bill, Settlement
from db.receiving import Receipt, ReceiptLine, ReceiptSeat


class ReceiptSeatShape(Shape):
    """A delivered seat at its own cost."""

    event_seat_id: UUID
    section: str
    row: str
    seat_number: str
    cost: MoneyShape


class ReceiptLineShape(Shape):
    """One order line in one delivery, its seats in human order."""

    line_id: UUID
    event_id: UUID
    quantity: int
    unit_price: MoneyShape
    amount: MoneyShape
    seats: list[ReceiptSeatShape]


class ReceiptShape(Shape):
    """A delivery as it was taken in, and the bill drafted from it; it never changes."""

    id: UUID
    object: str = "receipt"
    receipt_number: str
    purchase_order_id: UUID
    supplier_id: UUID
    delivery_reference: str
    delivered_at: Instant
    received_by: str
    seat_count: int
    total_amount: MoneyShape
    bill_id: UUID
    created_at: Instant

    @classmethod
    def of(cls, receipt: Receipt, currency: str) -> ReceiptShape:
        """From its row."""
        return cls(
            id=receipt.id,
            receipt_number=receipt.receipt_number,
            purchase_order_id=receipt.purchase_order_id,
            supplier_id=receipt.supplier_id,
            delivery_reference=receipt.delivery_reference,
            delivered_at=receipt.delivered_at,
            received_by=receipt.received_by,
            seat_count=receipt.seat_count,
            total_amount=MoneyShape.of(receipt.total_amount, currency),
            bill_id=receipt.bill_id,
            created_at=receipt.created_at,
        )


class ReceiptDetailShape(ReceiptShape):
    """One receipt with every seat."""

    lines: list[ReceiptLineShape]

    @classmethod
    def whole(
        cls, receipt: Receipt, currency: str, *, lines: Sequence[ReceiptLine], seats: Sequence[ReceiptSeat]
    ) -> ReceiptDetailShape:
        """From its rows and theirs."""
        by_line: dict[UUID, list[ReceiptSeatShape]] = {}
        for seat in seats:
            by_line.setdefault(seat.line_id, []).append(_seat(seat, currency))
        return cls(
            **dict(ReceiptShape.of(receipt, currency)),
            lines=[
                ReceiptLineShape(
                    line_id=line.line_id,
                    event_id=line.event_id,
                    quantity=line.quantity,
                    unit_price=MoneyShape.of(line.unit_price, currency),
                    amount=MoneyShape.of(line.amount, currency),
                    seats=by_line.get(line.line_id, []),
                )
                for line in lines
            ],
        )


class SettlementShape(Shape):
    """What met a bill: a payment, or the advance that a payment was."""

    payment_id: UUID
    source: str
    amount: MoneyShape
    settled_at: Instant


class BillShape(Shape):
    """A supplier's bill, drafted from a receipt; its terms are the order's of that day."""

    id: UUID
    object: str = "bill"
    number: str
    supplier_id: UUID
    purchase_order_id: UUID
    receipt_id: UUID
    status: str
    amount: MoneyShape
    settled_amount: MoneyShape
    open_amount: MoneyShape
    bill_date: date
    due_date: date
    terms: str
    created_at: Instant

    @classmethod
    def of(cls, bill: Bill) -> BillShape:
        """From its row."""
        return cls(
            id=bill.id,
            number=bill.number,
            supplier_id=bill.supplier_id,
            purchase_order_id=bill.purchase_order_id,
            receipt_id=bill.receipt_id,
            status=bill.status,
            amount=MoneyShape.of(bill.amount, bill.currency),
            settled_amount=MoneyShape.of(bill.settled_amount, bill.currency),
            open_amount=MoneyShape.of(bill.open_amount, bill.currency),
            bill_date=bill.bill_date,
            due_date=bill.due_date,
            terms=bill.terms,
            created_at=bill.created_at,
        )


class BillDetailShape(BillShape):
    """One bill with what has settled it."""

    can: list[str]
    settlements: list[SettlementShape]

    @classmethod
    def whole(cls, bill: Bill, *, can: Sequence[str], settlements: Sequence[Settlement]) -> BillDetailShape:
        """From its rows."""
        return cls(
            **dict(BillShape.of(bill)),
            can=list(can),
            settlements=[
                SettlementShape(
                    payment_id=one.payment_id,
                    source=one.source,
                    amount=MoneyShape.of(one.amount, bill.currency),
                    settled_at=one.settled_at,
                )
                for one in settlements
            ],
        )


def _seat(seat: ReceiptSeat, currency: str) -> ReceiptSeatShape:
    return ReceiptSeatShape(
        event_seat_id=seat.event_seat_id,
        section=seat.section,
        row=seat.row,
        seat_number=seat.seat_number,
        cost=MoneyShape.of(seat.cost, currency),
    )
