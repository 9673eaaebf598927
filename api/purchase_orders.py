"""/api/purchase-orders: what we order, and everything that happens to an order until it is closed and paid."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body as JsonBody
from fastapi import Query

from activities import ordering, payables, purchasing, receiving
from api.asking import fault
from api.deliveries import Delivery, DeliveryPreviewShape, request_body
from api.desk import Accepted, Desk
from api.pages import After, Limit, keys_after, page
from api.problems import Rejected
from api.purchase_order_bodies import Cancellation, Confirmation, NewOrder, NewSupplierPayment
from api.purchase_order_shapes import (
    CancellationPreviewShape,
    CancelledLineShape,
    OrderDetailShape,
    OrderShape,
)
from api.resources import as_uuid
from api.shapes import Line, Page
from db import access, history, operations
from db import payables as bills
from db import purchasing as orders
from db import purchasing_lists as lists
from db import receiving as receipts
from db.purchasing_lists import Filters
from db.transaction import Tx

desk = Desk(tag="purchase orders")

PREVIEW = Query(description="Show the effects and change nothing")
DRAFTING = (
    "unknown_id",
    "currency_not_supported",
    "invalid_selector",
    "no_such_seat",
    "duplicate_seat",
    "supplier_inactive",
)
RECEIVING = (
    "unknown_id",
    "delivery_reference_reused",
    "not_receivable",
    "invalid_selector",
    "no_such_seat",
    "duplicate_seat",
    "seat_already_owned",
    "over_delivery",
    "block_too_small",
    "price_mismatch",
    "currency_not_supported",
)

Status = Literal["DRAFT", "PENDING", "CONFIRMED", "PARTIALLY_RECEIVED", "COMPLETED", "CANCELLED"]
Sort = Literal[
    "created_at",
    "-created_at",
    "po_number",
    "-po_number",
    "expected_date",
    "-expected_date",
    "total_amount",
    "-total_amount",
]


@desk.creates("/purchase-orders", needs="orders:write", problems=DRAFTING)
def create_order(tx: Tx, body: NewOrder) -> OrderDetailShape:
    """Draft a purchase order."""
    return read_order(tx, ordering.make(tx, body.draft()))


@desk.reads("/purchase-orders", needs="orders:read")
def list_orders(
    tx: Tx,
    status: Annotated[list[Status] | None, Query(description="May be given several times")] = None,
    supplier_id: UUID | None = None,
    event_id: UUID | None = None,
    q: Annotated[Line | None, Query(description="Part of a number, a reference or the supplier's name")] = None,
    sort: Annotated[Sort, Query(description="- turns it round; ties are broken by id")] = "-created_at",
    limit: Limit = 50,
    after: After = None,
) -> Page[OrderShape]:
    """List purchase orders, newest first unless sorted otherwise."""
    wanted = [str(one) for one in status] if status else None
    rows = lists.listed(
        tx,
        Filters(status=wanted, supplier_id=supplier_id, event_id=event_id, q=q),
        sort=sort.lstrip("-"),
        descending=sort.startswith("-"),
        after=_position(after, sort),
        limit=limit,
    )
    known, amounts = lists.with_lines(tx, rows), lists.amounts(tx, [row.id for row in rows])
    return page(
        rows,
        limit,
        lambda row: OrderShape.of(known[row.id], amounts[row.id]),
        lambda row: [sort, row.sort_key, str(row.id)],
    )


@desk.reads("/purchase-orders/{order_id}", needs="orders:read", single=True)
def read_order(tx: Tx, order_id: UUID) -> OrderDetailShape:
    """Read a purchase order with its lines, receipts, bills, payments, history and operations."""
    known = purchasing.found(tx, order_id)
    return OrderDetailShape.whole(
        known,
        lists.amounts(tx, [order_id])[order_id],
        receipts=receipts.of_order(tx, order_id),
        bills=bills.bills_of(tx, order_id),
        payments=bills.payments_of(tx, order_id),
        history=history.of(tx, order_id),
        operations=operations.of_subject(tx, order_id),
    )


@desk.replaces("/purchase-orders/{order_id}", needs="orders:write", if_match=True, problems=(*DRAFTING, "wrong_state"))
def replace_order(tx: Tx, order_id: UUID, body: NewOrder) -> OrderDetailShape:
    """Replace a draft and all of its lines."""
    ordering.replace(tx, order_id, body.draft())
    return read_order(tx, order_id)


@desk.removes("/purchase-orders/{order_id}", needs="orders:write", problems=["wrong_state"])
def delete_order(tx: Tx, order_id: UUID) -> None:
    """Delete a draft."""
    ordering.delete(tx, order_id)


@desk.starts("/purchase-orders/{order_id}/submit", needs="orders:write", problems=["wrong_state"])
def submit_order(tx: Tx, order_id: UUID) -> Accepted:
    """Submit a draft: its PDF is mailed to the supplier."""
    return Accepted(purchasing.begin_submit(tx, order_id))


@desk.starts("/purchase-orders/{order_id}/confirm", needs="orders:write", problems=["nothing_confirmed", "wrong_state"])
def confirm_order(tx: Tx, order_id: UUID, body: Annotated[Confirmation | None, JsonBody()] = None) -> Accepted:
    """Note what the supplier confirms; without lines everything."""
    return Accepted(purchasing.begin_confirm(tx, order_id, (body or Confirmation()).answer()))


@desk.starts(
    "/purchase-orders/{order_id}/receive",
    needs="receipts:write",
    problems=RECEIVING,
    openapi_extra=request_body(),
    responses={200: {"model": DeliveryPreviewShape, "description": "With preview"}},
)
def receive_delivery(
    tx: Tx, order_id: UUID, delivery: Delivery, *, preview: Annotated[bool, PREVIEW] = False
) -> Accepted | DeliveryPreviewShape:
    """Take in a delivery: seat by seat from selectors, from a block, or from a CSV file; all of it or nothing.

    The same delivery sent again is the same receipt.
    """
    currency = access.tenant(tx).currency
    note = delivery.note(currency, now=orders.now(tx))
    if preview:
        return DeliveryPreviewShape.of(receiving.preview_receive(tx, order_id, note), currency)
    return Accepted(receiving.begin_receive(tx, order_id, note))


@desk.starts(
    "/purchase-orders/{order_id}/cancel",
    needs="orders:write",
    problems=["wrong_state"],
    responses={200: {"model": CancellationPreviewShape, "description": "With preview"}},
)
def cancel_order(
    tx: Tx, order_id: UUID, body: Cancellation, *, preview: Annotated[bool, PREVIEW] = False
) -> Accepted | CancellationPreviewShape:
    """Cancel what has not been delivered; delivered seats stay owned."""
    if not preview:
        return Accepted(purchasing.begin_cancel(tx, order_id, reason=body.reason))
    known = purchasing.found(tx, order_id)
    lines = purchasing.cancellation(known).items()
    return CancellationPreviewShape(
        lines=[CancelledLineShape(line_id=line_id, cancelled_quantity=quantity) for line_id, quantity in lines],
        status_after=purchasing.after_cancelling(known),
    )


@desk.starts(
    "/purchase-orders/{order_id}/pay",
    needs="payables:write",
    problems=["wrong_state", "nothing_to_pay", "overpayment", "currency_not_supported"],
)
def pay_order(tx: Tx, order_id: UUID, body: NewSupplierPayment) -> Accepted:
    """Pay on an order: its open bills first, by due date; what goes beyond them is an advance."""
    return Accepted(payables.begin_pay_order(tx, order_id, body.paying()))


def _position(after: str | None, sort: str) -> tuple[str, UUID] | None:
    """Where the page before ended; a cursor of another sort is refused."""
    keys = keys_after(after, count=3)
    if keys is None:
        return None
    found = as_uuid(keys[2])
    if keys[0] != sort or found is None or not lists.SORTS[sort.lstrip("-")].reads(keys[1]):
        wrong = fault("?after", "invalid", "use `next` as it came, with the same sort")
        raise Rejected("invalid", "this cursor is not one of ours", errors=[wrong])
    return keys[1], found
