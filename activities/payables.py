"""Paying suppliers: open bills first, then an advance; asked for with everything checked, carried out under the order's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from temporalio import activity

from activities.carrying import Result, carry_out
from db import access, history, ledger, operations, outbox, payables, purchasing
from db.ids import new_id
from db.operations import Operation, Subject
from db.payables import Bill, NewPayment, Payment, Settlement
from db.purchasing import OrderWithLines
from db.transaction import Database, Tx
from domain import ledger as postings
from domain.money import BadMoney, Money
from domain.payables import Allocation, OpenBill, advance_room, pay_bill, pay_order
from domain.payables import Settlement as Split
from domain.purchasing import ORDER, confirmed_total
from domain.states import Refused

PROCESS = "SupplierPayment"
PAY_ORDER, PAY_BILL = "purchase_order.pay", "bill.pay"


@dataclass(frozen=True, kw_only=True)
class PaymentStep:
    """A payment to a supplier, as this operation."""

    tenant_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Paying:
    """What the payer said; without an amount all that is open is meant, without a time now."""

    amount: Decimal | None
    currency: str | None
    method: str
    reference: str
    paid_at: datetime | None


def begin_pay_order(tx: Tx, order_id: UUID, paying: Paying) -> UUID:
    """Ask for a payment on an order. Raises Refused `wrong_state`, `nothing_to_pay`, `overpayment`, and as _said does."""
    known = purchasing.find(tx, order_id)
    assert known is not None, "the path has been resolved"
    amount, paid_at = _said(tx, paying)
    ORDER.after(known.status, "pay")
    split = _split(tx, known, payables.bills_of(tx, order_id), amount)
    subject = Subject(object="purchase_order", id=known.id, number=known.order.po_number)
    return _begin(
        tx, PAY_ORDER, subject, paying, paid_at=paid_at, amount=split.settled + split.rest, advance=split.rest
    )


def begin_pay_bill(tx: Tx, bill_id: UUID, paying: Paying) -> UUID:
    """Ask for a payment of one bill. Raises Refused `overpayment`, and as _said does."""
    bill = payables.find_bill(tx, bill_id)
    assert bill is not None, "the path has been resolved"
    amount, paid_at = _said(tx, paying)
    paid = pay_bill(amount, open_amount=Money(bill.open_amount, bill.currency))
    subject = Subject(object="bill", id=bill.id, number=bill.number)
    return _begin(tx, PAY_BILL, subject, paying, paid_at=paid_at, amount=paid, advance=Money.zero(bill.currency))


def _said(tx: Tx, paying: Paying) -> tuple[Money | None, datetime]:
    """Amount and time. Raises Refused `currency_not_supported` and `invalid`, also for a time in the future."""
    currency = access.tenant(tx).currency
    if paying.currency is not None and paying.currency != currency:
        words = f"{paying.currency} is not the agency's currency, {currency}."
        raise Refused("currency_not_supported", words, pointer="/amount/currency")
    now = purchasing.now(tx)
    if paying.paid_at is not None and paying.paid_at > now:
        raise Refused("invalid", "A payment is not dated in the future.", pointer="/paid_at")
    try:
        amount = None if paying.amount is None else Money(paying.amount, currency)
    except BadMoney as bad:
        raise Refused("invalid", bad.words, pointer="/amount/amount") from bad
    if amount is not None and not amount.is_positive:
        raise Refused("invalid", "A payment is above zero.", pointer="/amount/amount")
    return amount, paying.paid_at or now


def _begin(
    tx: Tx, kind: str, subject: Subject, paying: Paying, *, paid_at: datetime, amount: Money, advance: Money
) -> UUID:
    """The amounts are settled here: what is carried out is what the payer was shown, or nothing."""
    payload = {
        "amount": str(amount.amount),
        "advance": None if paying.amount is not None else str(advance.amount),
        "method": paying.method,
        "reference": paying.reference,
        "paid_at": paid_at.isoformat(),
    }
    operation_id = operations.open_operation(tx, kind=kind, subject=subject, payload=payload)
    argument = {"tenant_id": str(tx.tenant_id), "operation_id": str(operation_id)}
    outbox.start(tx, process=PROCESS, process_id=f"supplier-payment/{operation_id}", argument=argument)
    return operation_id


def room(tx: Tx, known: OrderWithLines, bills: Sequence[Bill]) -> Money:
    """How much more may be paid in advance on an order (accounting.md D)."""
    currency = known.order.currency
    return advance_room(
        confirmed_total([(line.facts, line.unit_price) for line in known.lines], currency=currency),
        to_come=known.facts.open,
        billed=Money.total((Money(bill.amount, currency) for bill in bills), currency=currency),
        unapplied_advances=Money(payables.unapplied_advances(tx, known.id), currency),
    )


def _split(tx: Tx, known: OrderWithLines, bills: Sequence[Bill], amount: Money | None) -> Split:
    """What of a payment meets which bill, and what is left as an advance."""
    return pay_order(amount, bills=[_open(bill) for bill in bills], room=room(tx, known, bills))


def _open(bill: Bill) -> OpenBill:
    return OpenBill(
        id=bill.id,
        open_amount=Money(bill.open_amount, bill.currency),
        number=bill.number,
        bill_date=bill.bill_date,
        due_date=bill.due_date,
    )


class Payables:
    """Paying, as one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="payables.pay", no_thread_cancel_exception=True)
    def pay(self, step: PaymentStep) -> None:
        """Note the payment, settle bills, keep the rest as an advance, post rows 2 and 6 of accounting.md A."""
        carry_out(self._database, tenant_id=step.tenant_id, operation_id=step.operation_id, work=_pay)


def _pay(tx: Tx, operation: Operation) -> Result:
    """Every payment on an order takes the order's lock, so two of them never see the same bill open."""
    currency = access.tenant(tx).currency
    amount = Money.of(operation.payload["amount"], currency)
    order_id = operation.subject_id
    if operation.kind == PAY_BILL:
        order_id = payables.order_of(tx, operation.subject_id)
    known = purchasing.lock(tx, order_id)
    assert known is not None, "an order with a bill, or past its draft, is never deleted"
    bills = payables.lock_bills_of(tx, order_id)
    split = (
        _bill_split(bills, amount, operation)
        if operation.kind == PAY_BILL
        else _order_split(tx, known, bills, amount, operation)
    )
    return _settle(tx, known, bills, split, operation)


def _bill_split(bills: Sequence[Bill], amount: Money, operation: Operation) -> Split:
    bill = next(bill for bill in bills if bill.id == operation.subject_id)
    paid = pay_bill(amount, open_amount=Money(bill.open_amount, bill.currency))
    return Split((Allocation(bill.id, paid),), Money.zero(paid.currency))


def _order_split(tx: Tx, known: OrderWithLines, bills: Sequence[Bill], amount: Money, operation: Operation) -> Split:
    ORDER.after(known.status, "pay")
    split = _split(tx, known, bills, amount)
    meant = operation.payload["advance"]
    if meant is not None and split.rest != Money.of(meant, amount.currency):
        words = f"{split.settled} of {amount} is still open: another payment came first."
        raise Refused("overpayment", words, facts={"amount": amount.as_json(), "open_amount": split.settled.as_json()})
    return split


def _settle(tx: Tx, known: OrderWithLines, bills: Sequence[Bill], split: Split, operation: Operation) -> Result:
    said = operation.payload
    paid = split.settled + split.rest
    payment = payables.add_payment(
        tx,
        NewPayment(
            id=new_id(),
            supplier_id=known.order.supplier_id,
            purchase_order_id=known.id,
            amount=paid.amount,
            advance_amount=split.rest.amount,
            currency=paid.currency,
            method=said["method"],
            reference=said["reference"],
            paid_at=datetime.fromisoformat(said["paid_at"]),
            operation_id=operation.id,
        ),
    )
    _meet(tx, bills, split, payment, operation)
    _post(tx, split, payment)
    return _result(tx, known, split, payment)


def _meet(tx: Tx, bills: Sequence[Bill], split: Split, payment: Payment, operation: Operation) -> None:
    if not split.allocations:
        return
    payables.settle(
        tx,
        [
            Settlement(
                bill_id=part.id,
                payment_id=payment.id,
                source="PAYMENT",
                amount=part.amount.amount,
                settled_at=payment.paid_at,
            )
            for part in split.allocations
        ],
    )
    before = {bill.id: bill.status for bill in bills}
    for bill in payables.bills_of(tx, bills[0].purchase_order_id):
        if bill.status != before[bill.id] or bill.id in {part.id for part in split.allocations}:
            history.note(
                tx,
                object="bill",
                subject_id=bill.id,
                from_status=before[bill.id],
                to_status=bill.status,
                reason=payment.reference,
                operation_id=operation.id,
            )


def _post(tx: Tx, split: Split, payment: Payment) -> None:
    """Row 6 for what met bills, row 2 for the advance."""
    entries = {
        "bills": (split.settled, postings.bill_paid(split.settled, supplier_id=payment.supplier_id)),
        "advance": (split.rest, postings.advance_paid(split.rest, supplier_id=payment.supplier_id)),
    }
    for part, (amount, entry) in entries.items():
        if amount.is_positive:
            ledger.post(
                tx,
                entry,
                key=f"supplier payment {payment.id} {part}",
                subject_object="supplier_payment",
                subject_id=payment.id,
                occurred_at=payment.paid_at,
            )


def _result(tx: Tx, known: OrderWithLines, split: Split, payment: Payment) -> dict[str, Any]:
    bills = {bill.id: bill for bill in payables.bills_of(tx, known.id)}
    return {
        "payment_id": payment.id,
        "payment_number": payment.number,
        "purchase_order_id": known.id,
        "amount": Money(payment.amount, payment.currency).as_json(),
        "advance_amount": split.rest.as_json(),
        "bills": [
            {
                "bill_id": part.id,
                "number": bills[part.id].number,
                "amount": part.amount.as_json(),
                "open_amount": Money(bills[part.id].open_amount, payment.currency).as_json(),
                "status": bills[part.id].status,
            }
            for part in split.allocations
        ],
    }
