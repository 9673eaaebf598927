"""/api/accounts-payable: suppliers' bills, what is open on them, and paying them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from activities import payables as steps
from api.books import Day
from api.desk import Accepted, Desk
from api.pages import After, Limit, id_after, page
from api.purchase_order_bodies import NewSupplierPayment
from api.receipt_shapes import BillDetailShape, BillShape
from api.shapes import Page
from db import payables
from db.transaction import Tx
from domain.payables import BILL, BillState

desk = Desk(tag="payables")

Status = Literal["OPEN", "PARTIALLY_PAID", "PAID"]


@desk.reads("/accounts-payable", needs="payables:read")
def list_bills(
    tx: Tx,
    status: Annotated[list[Status] | None, Query(description="May be given several times")] = None,
    supplier_id: UUID | None = None,
    purchase_order_id: UUID | None = None,
    due_before: Annotated[Day | None, Query(description="Due on an earlier day")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[BillShape]:
    """List bills, newest first."""
    rows = payables.listed(
        tx,
        status=[str(one) for one in status] if status else None,
        supplier_id=supplier_id,
        order_id=purchase_order_id,
        due_before=due_before,
        after=id_after(after),
        limit=limit,
    )
    return page(rows, limit, BillShape.of, lambda row: row.id)


@desk.reads("/accounts-payable/{bill_id}", needs="payables:read", single=True)
def read_bill(tx: Tx, bill_id: UUID) -> BillDetailShape:
    """Read a bill with what has settled it."""
    bill = payables.find_bill(tx, bill_id)
    assert bill is not None, "the path has been resolved"
    settlements = payables.settlements_of(tx, bill_id)
    return BillDetailShape.whole(bill, can=BILL.verbs(BillState(bill.status)), settlements=settlements)


@desk.starts(
    "/accounts-payable/{bill_id}/pay", needs="payables:write", problems=["overpayment", "currency_not_supported"]
)
def pay_bill(tx: Tx, bill_id: UUID, body: NewSupplierPayment) -> Accepted:
    """Pay a bill, in full unless an amount says less."""
    return Accepted(steps.begin_pay_bill(tx, bill_id, body.paying()))
