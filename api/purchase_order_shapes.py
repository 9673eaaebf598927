"""How purchase orders look in JSON, with every status derived on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from api.receipt_shapes import BillShape, ReceiptShape
from api.shapes import Instant, MoneyShape, Shape
from db.history import Change
from db.operations import Operation
from db.payables import Bill, Payment
from db.purchasing import Line, OrderWithLines
from db.purchasing_lists import Amounts
from db.receiving import Receipt
from domain.money import Money
from domain.purchasing import bill_status, line_status, order_can, receipt_status


class OrderLineShape(Shape):
    """A line of an order with what has happened to it; `id` is the `line_id` of deliveries."""

    id: UUID
    line_number: int
    event_id: UUID
    description: str
    status: str
    quantity: int
    confirmed_quantity: int
    received_quantity: int
    rejected_quantity: int
    cancelled_quantity: int
    open_quantity: int
    unit_price: MoneyShape
    retail_price: MoneyShape | None
    line_total: MoneyShape
    seats: list[str]

    @classmethod
    def of(cls, line: Line, currency: str, *, confirmed: bool) -> OrderLineShape:
        """From its row; `confirmed` says whether the order has been."""
        return cls(
            id=line.id,
            line_number=line.line_number,
            event_id=line.event_id,
            description=line.description,
            status=line_status(line.facts, confirmed=confirmed),
            quantity=line.quantity,
            confirmed_quantity=line.confirmed_quantity,
            received_quantity=line.received_quantity,
            rejected_quantity=line.rejected_quantity,
            cancelled_quantity=line.cancelled_quantity,
            open_quantity=line.facts.open,
            unit_price=MoneyShape.of(line.unit_price, currency),
            retail_price=MoneyShape.maybe(line.retail_price, currency),
            line_total=MoneyShape.of(line.line_total, currency),
            seats=list(line.seats),
        )


class ChangeShape(Shape):
    """One line of a history."""

    model_config = ConfigDict(serialize_by_alias=True)

    at: Instant
    by: str
    from_status: str | None = Field(serialization_alias="from")
    to_status: str = Field(serialization_alias="to")
    reason: str | None


class OrderOperationShape(Shape):
    """An operation on the order, in short."""

    id: UUID
    kind: str
    status: str
    created_at: Instant
    ended_at: Instant | None


class OrderPaymentShape(Shape):
    """What was paid on the order; `advance_open` has met no bill yet."""

    id: UUID
    number: str
    amount: MoneyShape
    advance_amount: MoneyShape
    advance_open: MoneyShape
    method: str
    reference: str
    paid_at: Instant

    @classmethod
    def of(cls, payment: Payment) -> OrderPaymentShape:
        """From its row."""
        return cls(
            id=payment.id,
            number=payment.number,
            amount=MoneyShape.of(payment.amount, payment.currency),
            advance_amount=MoneyShape.of(payment.advance_amount, payment.currency),
            advance_open=MoneyShape.of(payment.advance_open, payment.currency),
            method=payment.method,
            reference=payment.reference,
            paid_at=payment.paid_at,
        )


class OrderShape(Shape):
    """An order as lists show it: `status`, `receipt_status` and `bill_status` follow from its lines and bills."""

    id: UUID
    object: str = "purchase_order"
    po_number: str
    supplier_id: UUID
    status: str
    receipt_status: str
    bill_status: str
    fulfillment_method: str
    currency: str
    payment_terms: str
    expected_date: date | None
    reference: str | None
    notes: str | None
    supplier_reference: str | None
    total_amount: MoneyShape
    received_amount: MoneyShape
    billed_amount: MoneyShape
    open_amount: MoneyShape
    version: int
    created_by: str
    created_at: Instant
    submitted_at: Instant | None
    confirmed_at: Instant | None
    cancelled_at: Instant | None
    cancellation_reason: str | None
    can: list[str]

    @classmethod
    def of(cls, known: OrderWithLines, amounts: Amounts) -> OrderShape:
        """From its rows."""
        return cls(**_header(known, amounts))


class OrderDetailShape(OrderShape):
    """One order with all that belongs to it."""

    lines: list[OrderLineShape]
    receipts: list[ReceiptShape]
    bills: list[BillShape]
    payments: list[OrderPaymentShape]
    history: list[ChangeShape]
    operations: list[OrderOperationShape]

    @classmethod
    def whole(
        cls,
        known: OrderWithLines,
        amounts: Amounts,
        *,
        receipts: Sequence[Receipt],
        bills: Sequence[Bill],
        payments: Sequence[Payment],
        history: Sequence[Change],
        operations: Sequence[Operation],
    ) -> OrderDetailShape:
        """From its rows and theirs."""
        currency, confirmed = known.order.currency, known.order.confirmed_at is not None
        return cls(
            **_header(known, amounts),
            lines=[OrderLineShape.of(line, currency, confirmed=confirmed) for line in known.lines],
            receipts=[ReceiptShape.of(receipt, currency) for receipt in receipts],
            bills=[BillShape.of(bill) for bill in bills],
            payments=[OrderPaymentShape.of(payment) for payment in payments],
            history=[ChangeShape.model_validate(change) for change in history],
            operations=[OrderOperationShape.model_validate(operation) for operation in operations],
        )


class CancelledLineShape(Shape):
    """So many seats of a line would be given up."""

    line_id: UUID
    cancelled_quantity: int


class CancellationPreviewShape(Shape):
    """What cancelling would do; delivered seats stay owned."""

    lines: list[CancelledLineShape]
    status_after: str


def _header(known: OrderWithLines, amounts: Amounts) -> dict[str, Any]:
    order, facts, currency = known.order, known.facts, known.order.currency
    received, billed, open_amount = (
        Money(amount, currency) for amount in (amounts.received_amount, amounts.billed_amount, amounts.open_amount)
    )
    copied = (
        "id po_number supplier_id fulfillment_method currency payment_terms expected_date reference notes"
        " supplier_reference version created_by created_at submitted_at confirmed_at cancelled_at cancellation_reason"
    )
    return {
        **{name: getattr(order, name) for name in copied.split()},
        "status": known.status,
        "receipt_status": receipt_status(facts),
        "bill_status": bill_status(
            facts, received_amount=received, billed=billed, open_amount=open_amount, bills=amounts.bills
        ),
        "total_amount": MoneyShape.of(order.total_amount, currency),
        "received_amount": MoneyShape.of(received.amount, currency),
        "billed_amount": MoneyShape.of(billed.amount, currency),
        "open_amount": MoneyShape.of(open_amount.amount, currency),
        "can": list(order_can(known.status)),
    }
