"""The bill that a delivery leads to: drafted from its receipt, met by advances, posted; part of the delivery's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from db import access, history, ledger, payables
from db.payables import Bill, NewBill, Payment, Settlement
from db.purchasing import Order
from db.receiving import NewReceipt
from db.transaction import Tx
from domain import ledger as postings
from domain.money import Money
from domain.payables import OpenItem, Terms, bill_state, due_date, settle


@dataclass(frozen=True, slots=True)
class Due:
    """When a delivery's bill is dated and due, by the order's terms."""

    bill_date: date
    due_date: date
    terms: str


def due(tx: Tx, order: Order, *, delivered_at: datetime) -> Due:
    """The bill's date is the delivery's day where the agency is (accounting.md B)."""
    day = delivered_at.astimezone(ZoneInfo(access.tenant(tx).timezone)).date()
    return Due(day, due_date(day, Terms.parse(order.payment_terms)), order.payment_terms)


def draft(tx: Tx, order: Order, *, receipt: NewReceipt, amount: Money) -> Bill:
    """Draft the bill of a receipt, use up the order's advances on it and post rows 4 and 5 of accounting.md A."""
    when = due(tx, order, delivered_at=receipt.delivered_at)
    bill = payables.add_bill(
        tx,
        NewBill(
            supplier_id=order.supplier_id,
            purchase_order_id=order.id,
            receipt_id=receipt.id,
            amount=amount.amount,
            currency=amount.currency,
            bill_date=when.bill_date,
            due_date=when.due_date,
            terms=when.terms,
        ),
    )
    _post(tx, postings.bill_drafted(amount, supplier_id=order.supplier_id), bill, receipt, key=f"bill {bill.id}")
    used = _use_advances(tx, bill, amount, receipt.delivered_at)
    _post(
        tx, postings.advance_applied(used, supplier_id=order.supplier_id), bill, receipt, key=f"bill {bill.id} advance"
    )
    history.note(
        tx,
        object="bill",
        subject_id=bill.id,
        to_status=bill_state(amount, open_amount=amount - used),
        reason=receipt.delivery_reference,
        operation_id=receipt.operation_id,
    )
    return bill


def advance_left(tx: Tx, order: Order) -> Money:
    """What was paid in advance on an order and has met no bill yet."""
    return Money(payables.unapplied_advances(tx, order.id), order.currency)


def _use_advances(tx: Tx, bill: Bill, amount: Money, at: datetime) -> Money:
    """Meet the bill by the order's advances, oldest first; what was used."""
    met = settle(amount, _items(payables.lock_advances(tx, bill.purchase_order_id)))
    settlements = [
        Settlement(bill_id=bill.id, payment_id=part.id, source="ADVANCE", amount=part.amount.amount, settled_at=at)
        for part in met.allocations
    ]
    if settlements:
        payables.use_advances(tx, settlements)
        payables.settle(tx, settlements)
    return met.settled


def _items(advances: Sequence[Payment]) -> list[OpenItem]:
    return [OpenItem(one.id, Money(one.advance_open, one.currency)) for one in advances]


def _post(tx: Tx, entry: postings.Entry, bill: Bill, receipt: NewReceipt, *, key: str) -> None:
    """Write an entry that says something; a gift makes none."""
    if entry.legs:
        ledger.post(tx, entry, key=key, subject_object="bill", subject_id=bill.id, occurred_at=receipt.delivered_at)
