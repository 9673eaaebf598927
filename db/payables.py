"""Bills, what has settled them, and the supplier payments and advances it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from db.ids import new_id
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBill:
    """A bill as it is drafted from a receipt; its terms are the order's of that day."""

    supplier_id: UUID
    purchase_order_id: UUID
    receipt_id: UUID
    amount: Decimal
    currency: str
    bill_date: date
    due_date: date
    terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill(NewBill):
    """A bill's row; open amount and status follow from what settled it."""

    id: UUID
    number: str
    settled_amount: Decimal
    open_amount: Decimal
    status: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """So much of a bill was met by a payment, or by the advance that a payment was."""

    bill_id: UUID
    payment_id: UUID
    source: str
    amount: Decimal
    settled_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPayment:
    """Money that went to a supplier; `advance_amount` is the part of it that met no bill."""

    id: UUID
    supplier_id: UUID
    purchase_order_id: UUID | None
    amount: Decimal
    advance_amount: Decimal
    currency: str
    method: str
    reference: str
    paid_at: datetime
    operation_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment(NewPayment):
    """A supplier payment's row; `advance_used` is what bills have used up of its advance."""

    number: str
    advance_used: Decimal
    paid_by: str
    created_at: datetime

    @property
    def advance_open(self) -> Decimal:
        """What is left of its advance."""
        return self.advance_amount - self.advance_used


BILL = """id, number, supplier_id, purchase_order_id, receipt_id, amount, settled_amount, open_amount, status, currency,
    bill_date, due_date, terms, created_at"""
PAYMENT = """id, number, supplier_id, purchase_order_id, amount, advance_amount, advance_used, currency, method, reference,
    paid_at, paid_by, operation_id, created_at"""


def add_bill(tx: Tx, bill: NewBill) -> Bill:
    """Draft a bill; nothing is settled yet."""
    return tx.one(
        f"""INSERT INTO bills (tenant_id, id, number, supplier_id, purchase_order_id, receipt_id, amount, currency,
                bill_date, due_date, terms)
            VALUES (%s, %s, next_number('BILL', 'bill_numbers'), %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {BILL}""",
        (
            tx.tenant_id,
            new_id(),
            bill.supplier_id,
            bill.purchase_order_id,
            bill.receipt_id,
            bill.amount,
            bill.currency,
            bill.bill_date,
            bill.due_date,
            bill.terms,
        ),
        into=Bill,
    )


def find_bill(tx: Tx, bill_id: UUID) -> Bill | None:
    """One bill of this agency."""
    return tx.maybe(f"SELECT {BILL} FROM bills WHERE id = %s", (bill_id,), into=Bill)


def order_of(tx: Tx, bill_id: UUID) -> UUID:
    """The order a bill belongs to."""
    found: UUID = tx.value("SELECT purchase_order_id FROM bills WHERE id = %s", (bill_id,))
    return found


def bill_of_receipt(tx: Tx, receipt_id: UUID) -> Bill:
    """The bill that was drafted from a receipt; every receipt has one."""
    return tx.one(f"SELECT {BILL} FROM bills WHERE receipt_id = %s", (receipt_id,), into=Bill)


def bills_of(tx: Tx, order_id: UUID) -> list[Bill]:
    """An order's bills, oldest first."""
    return tx.all(f"SELECT {BILL} FROM bills WHERE purchase_order_id = %s ORDER BY id", (order_id,), into=Bill)


def lock_bills_of(tx: Tx, order_id: UUID) -> list[Bill]:
    """An order's bills, locked in the order of their ids."""
    query = f"SELECT {BILL} FROM bills WHERE purchase_order_id = %s ORDER BY id FOR NO KEY UPDATE"
    return tx.all(query, (order_id,), into=Bill)


def listed(
    tx: Tx,
    *,
    status: Sequence[str] | None,
    supplier_id: UUID | None,
    order_id: UUID | None,
    due_before: date | None,
    after: UUID | None,
    limit: int,
) -> list[Bill]:
    """A page of bills, newest first, one more than `limit`; `due_before` itself is not in it."""
    return tx.all(
        f"""SELECT {BILL} FROM bills
            WHERE (%(status)s::text[] IS NULL OR status = ANY(%(status)s))
              AND (%(supplier)s::uuid IS NULL OR supplier_id = %(supplier)s)
              AND (%(order)s::uuid IS NULL OR purchase_order_id = %(order)s)
              AND (%(due_before)s::date IS NULL OR due_date < %(due_before)s)
              AND (%(after)s::uuid IS NULL OR id < %(after)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {
            "status": None if status is None else list(status),
            "supplier": supplier_id,
            "order": order_id,
            "due_before": due_before,
            "after": after,
            "limit": limit + 1,
        },
        into=Bill,
    )


def add_payment(tx: Tx, payment: NewPayment) -> Payment:
    """Note a payment, once per operation."""
    return tx.one(
        f"""INSERT INTO supplier_payments (tenant_id, id, number, supplier_id, purchase_order_id, amount, advance_amount,
                currency, method, reference, paid_at, paid_by, operation_id)
            VALUES (%s, %s, next_number('PAY', 'payment_numbers'), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            RETURNING {PAYMENT}""",
        (
            tx.tenant_id,
            payment.id,
            payment.supplier_id,
            payment.purchase_order_id,
            payment.amount,
            payment.advance_amount,
            payment.currency,
            payment.method,
            payment.reference,
            payment.paid_at,
            tx.actor,
            payment.operation_id,
        ),
        into=Payment,
    )


def lock_advances(tx: Tx, order_id: UUID) -> list[Payment]:
    """An order's payments whose advance is not used up, oldest first, locked."""
    return tx.all(
        f"""SELECT {PAYMENT} FROM supplier_payments WHERE purchase_order_id = %s AND advance_used < advance_amount
            ORDER BY paid_at, id FOR NO KEY UPDATE""",
        (order_id,),
        into=Payment,
    )


def unapplied_advances(tx: Tx, order_id: UUID) -> Decimal:
    """What was paid in advance on an order and has met no bill yet."""
    found: Decimal = tx.value(
        "SELECT coalesce(sum(advance_amount - advance_used), 0) FROM supplier_payments WHERE purchase_order_id = %s",
        (order_id,),
    )
    return found


def payments_of(tx: Tx, order_id: UUID) -> list[Payment]:
    """What was paid on an order or on one of its bills, oldest first."""
    return tx.all(
        f"SELECT {PAYMENT} FROM supplier_payments WHERE purchase_order_id = %s ORDER BY id", (order_id,), into=Payment
    )


def use_advances(tx: Tx, settlements: Sequence[Settlement]) -> None:
    """Use up advances; the table refuses more than there is."""
    tx.run(
        """UPDATE supplier_payments AS p SET advance_used = p.advance_used + u.amount
           FROM unnest(%s::uuid[], %s::numeric[]) AS u(payment_id, amount) WHERE p.id = u.payment_id""",
        ([one.payment_id for one in settlements], [one.amount for one in settlements]),
    )


def settle(tx: Tx, settlements: Sequence[Settlement]) -> None:
    """Meet bills; the table refuses more than a bill's amount."""
    tx.run(
        """UPDATE bills AS b SET settled_amount = b.settled_amount + s.amount
           FROM (SELECT bill_id, sum(amount) AS amount FROM unnest(%s::uuid[], %s::numeric[]) AS u(bill_id, amount)
                 GROUP BY bill_id) AS s WHERE b.id = s.bill_id""",
        ([one.bill_id for one in settlements], [one.amount for one in settlements]),
    )
    tx.run_many(
        """INSERT INTO bill_settlements (tenant_id, id, bill_id, payment_id, source, amount, settled_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [
            (tx.tenant_id, new_id(), one.bill_id, one.payment_id, one.source, one.amount, one.settled_at)
            for one in settlements
        ],
    )


def settlements_of(tx: Tx, bill_id: UUID) -> list[Settlement]:
    """What has settled a bill, oldest first."""
    return tx.all(
        """SELECT bill_id, payment_id, source, amount, settled_at FROM bill_settlements
           WHERE bill_id = %s ORDER BY id""",
        (bill_id,),
        into=Settlement,
    )
