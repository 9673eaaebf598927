"""Receiving: a delivery is asked for, checked at once, and taken in whole by one transaction or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from temporalio import activity

from activities import billing, delivering
from activities.beating import beating
from activities.carrying import Result, carry_out, plain
from activities.delivering import Plan
from activities.delivery_notes import Note, note_of
from activities.documents import request_receipt
from activities.purchasing import OBJECT, Position, begin, found, locked, note_operation
from db import history, ledger, operations, outbox, payables, purchasing, receiving, suppliers
from db.ids import new_id
from db.operations import Operation
from db.purchasing import OrderWithLines
from db.receiving import NewReceipt, Receipt, ReceiptLine, TakenSeats
from db.transaction import Database, Tx
from domain import ledger as postings
from domain.money import Money
from domain.purchasing import OrderStatus
from domain.states import Refused


@dataclass(frozen=True, kw_only=True)
class DeliveryStep:
    """A delivery to be taken in, as this operation; its receipt has the operation's id."""

    tenant_id: UUID
    order_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a delivery would do; `receipt` is set when it has been taken in already."""

    plan: Plan | None
    receipt: Receipt | None
    due: billing.Due | None = None
    advance_used: Money | None = None


def begin_receive(tx: Tx, order_id: UUID, note: Note) -> UUID:
    """The request's half of a delivery: everything checked, nothing held.

    A note that has been taken in already is an operation that has succeeded with that receipt. Raises Refused as
    `plan` does, and `invalid`, `unknown_id`, `delivery_reference_reused`.
    """
    known, found_or_planned = _looked_at(tx, order_id, note)
    payload = note.payload()
    if isinstance(found_or_planned, Plan):
        return begin(tx, known, verb="receive", payload=payload, seats=found_or_planned.quantity)
    operation_id = note_operation(tx, known, verb="receive", payload=payload, seats=found_or_planned.seat_count)
    operations.succeed(tx, operation_id, result=plain(_result(tx, found_or_planned)))
    return operation_id


def preview_receive(tx: Tx, order_id: UUID, note: Note) -> Preview:
    """What `begin_receive` would lead to, refusals included."""
    known, found_or_planned = _looked_at(tx, order_id, note)
    if not isinstance(found_or_planned, Plan):
        return Preview(plan=None, receipt=found_or_planned)
    return Preview(
        plan=found_or_planned,
        receipt=None,
        due=billing.due(tx, known.order, delivered_at=note.delivered_at),
        advance_used=min(found_or_planned.total, billing.advance_left(tx, known.order)),
    )


def status_after(planned: Plan) -> OrderStatus:
    """The order's status once the delivery is in."""
    took = {line.line.id: line.quantity for line in planned.lines}
    lines = tuple(
        replace(line, received_quantity=line.received_quantity + took.get(line.id, 0)) for line in planned.known.lines
    )
    return OrderWithLines(planned.known.order, lines).status


def _looked_at(tx: Tx, order_id: UUID, note: Note) -> tuple[OrderWithLines, Receipt | Plan]:
    """The note can be understood and its time is not in the future; what it would do, or the receipt it is already."""
    known = found(tx, order_id)
    if note.said_at is not None and note.said_at > purchasing.now(tx):
        raise Refused("invalid", "A delivery is not dated in the future.", pointer="/delivered_at")
    delivering.check_lines(known, note)
    receipt = _known_receipt(tx, known, note)
    if receipt is not None:
        return known, receipt
    try:
        return known, delivering.plan(tx, known, note, lock=False)
    except Refused:
        # Nothing is held here: what stands in its way may be the same note, taken in since we looked for its receipt.
        receipt = _known_receipt(tx, known, note)
        if receipt is None:
            raise
        return known, receipt


def _known_receipt(tx: Tx, known: OrderWithLines, note: Note) -> Receipt | None:
    """Rule 1: the same reference with the same content is the same receipt, in any status of the order."""
    receipt = receiving.of_reference(tx, order_id=known.id, reference=note.reference)
    if receipt is not None and receipt.content_hash != _fingerprint(known, note):
        words = f"Delivery {note.reference} was taken in as {receipt.receipt_number}, with other content."
        facts = {"receipt_id": str(receipt.id), "receipt_number": receipt.receipt_number}
        raise Refused("delivery_reference_reused", words, pointer="/delivery_reference", facts=facts)
    return receipt


def _fingerprint(known: OrderWithLines, note: Note) -> str:
    return note.fingerprint({line.line_number: line.id for line in known.lines})


class Receiving:
    """Taking a delivery in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="receiving.record", no_thread_cancel_exception=True)
    @beating
    def record(self, step: DeliveryStep) -> Position:
        """Everything a delivery changes, in one transaction; says where the order stands then."""
        carry_out(self._database, tenant_id=step.tenant_id, operation_id=step.operation_id, work=_record)
        with self._database.transaction(step.tenant_id) as tx:
            return Position.of(purchasing.find(tx, step.order_id))


def _record(tx: Tx, operation: Operation) -> Result:
    known = locked(tx, operation.subject_id)
    note = note_of(operation.payload)
    receipt = _known_receipt(tx, known, note)
    if receipt is None:
        _take_in(tx, delivering.plan(tx, known, note, lock=True), note, operation)
        receipt = receiving.of_reference(tx, order_id=known.id, reference=note.reference)
        assert receipt is not None, "it has just been written"
    return _result(tx, receipt)


def _result(tx: Tx, receipt: Receipt) -> dict[str, Any]:
    return {
        "receipt_id": receipt.id,
        "receipt_number": receipt.receipt_number,
        "received": receipt.seat_count,
        "rejected": [],
        "bill_id": payables.bill_of_receipt(tx, receipt.id).id,
    }


def _take_in(tx: Tx, planned: Plan, note: Note, operation: Operation) -> None:
    """Seats, counts, receipt, bill, advance, journal, history and papers: a handful of statements for any number."""
    known = planned.known
    receipt = NewReceipt(
        id=operation.id,
        purchase_order_id=known.id,
        supplier_id=known.order.supplier_id,
        delivery_reference=note.reference,
        content_hash=_fingerprint(known, note),
        delivered_at=note.delivered_at,
        received_by=tx.actor,
        seat_count=planned.quantity,
        total_amount=planned.total.amount,
        operation_id=operation.id,
    )
    number = receiving.add(tx, receipt, lines=_lines(planned))
    owned = receiving.own(tx, _taken(planned), receipt=receipt)
    assert owned == planned.quantity, "seats are locked before they are taken"
    purchasing.receive(tx, known.id, quantities={line.line.id: line.quantity for line in planned.lines})
    _post_delivery(tx, planned, receipt)
    billing.draft(tx, known.order, receipt=receipt, amount=planned.total)
    _note(tx, planned, number=number, operation=operation)
    _send_papers(tx, known, receipt)


def _taken(planned: Plan) -> list[TakenSeats]:
    return [
        TakenSeats(
            event_seat_ids=seat_ids,
            line_id=line.line.id,
            purchase_price=line.line.unit_price,
            cost=cost.amount,
            retail_price=retail_price,
        )
        for line in planned.lines
        for (_, cost, retail_price), seat_ids in line.alike.items()
    ]


def _lines(planned: Plan) -> list[ReceiptLine]:
    return [
        ReceiptLine(
            id=new_id(),
            line_id=line.line.id,
            event_id=line.line.event_id,
            quantity=line.quantity,
            unit_price=line.line.unit_price,
            amount=line.amount.amount,
            ordered_quantity=line.line.quantity,
            received_before=line.line.received_quantity,
        )
        for line in planned.lines
    ]


def _post_delivery(tx: Tx, planned: Plan, receipt: NewReceipt) -> None:
    """Row 3 of accounting.md A."""
    lots = [
        postings.Lot(seat_ids, line.line.event_id, receipt.supplier_id, section, cost)
        for line in planned.lines
        for (section, cost, _), seat_ids in line.alike.items()
    ]
    ledger.post(
        tx,
        postings.delivery(lots),
        key=f"receipt {receipt.id}",
        subject_object="receipt",
        subject_id=receipt.id,
        occurred_at=receipt.delivered_at,
    )


def _note(tx: Tx, planned: Plan, *, number: str, operation: Operation) -> None:
    why: Mapping[str, Any] = {"reason": number, "operation_id": operation.id}
    history.note(
        tx,
        object=OBJECT,
        subject_id=planned.known.id,
        from_status=planned.known.status,
        to_status=status_after(planned),
        **why,
    )
    seats = [one.seat.id for line in planned.lines for one in line.picked]
    history.note_many(tx, object="event_seat", subject_ids=seats, from_status="NOT_OWNED", to_status="OWNED", **why)


def _send_papers(tx: Tx, known: OrderWithLines, receipt: NewReceipt) -> None:
    """The receipt's paper is asked for, and goes to the buyer and to a supplier with an address once it is there."""
    paper = request_receipt(tx, receipt.id)
    supplier = suppliers.find(tx, known.order.supplier_id)
    addresses = {
        "receipt_to_buyer": purchasing.buyer_email(tx, known.order),
        "receipt_to_supplier": supplier.email if supplier else None,
    }
    for letter, address in addresses.items():
        if address:
            outbox.mail(
                tx,
                key=f"{letter} {receipt.id}",
                letter=letter,
                subject_id=receipt.id,
                to=address,
                documents=[paper],
            )
