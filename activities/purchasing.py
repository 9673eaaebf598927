"""Orders on their way: submitted, confirmed, reminded of, lapsed or cancelled; each asked for first, then carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import activity

from activities.carrying import Result, carry_out
from activities.documents import request_order
from db import history, operations, outbox, purchasing, suppliers
from db.operations import Operation
from db.purchasing import OrderWithLines
from db.transaction import Database, Tx
from domain import purchasing as rules
from domain.purchasing import ORDER, OrderStatus
from domain.states import Fault, Refused

PROCESS = "PurchaseOrder"
OBJECT = "purchase_order"
SUBMIT, CONFIRM, CANCEL = (f"{OBJECT}.{verb}" for verb in ("submit", "confirm", "cancel"))

# How long a supplier may take to answer before it is reminded, and before the order lapses.
REMINDER_AFTER, LAPSE_AFTER = timedelta(days=3), timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class OrderRef:
    """An order, as the steps of its process know it."""

    tenant_id: UUID
    order_id: UUID


@dataclass(frozen=True, kw_only=True)
class OrderStep:
    """Something to be done with an order, as this operation."""

    tenant_id: UUID
    order_id: UUID
    operation_id: UUID


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """The supplier has not answered; this is the reminder of that number."""

    tenant_id: UUID
    order_id: UUID
    number: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where an order stands; None for one that has been deleted."""

    status: OrderStatus | None
    submitted_at: datetime | None = None

    @classmethod
    def of(cls, known: OrderWithLines | None) -> Position:
        """From its rows."""
        return cls(status=None) if known is None else cls(status=known.status, submitted_at=known.order.submitted_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the supplier said: confirmed seats by line, in the order given; lines left out are confirmed in full."""

    supplier_reference: str | None
    lines: tuple[tuple[UUID, int], ...]


def begin(tx: Tx, known: OrderWithLines, *, verb: str, payload: Mapping[str, Any], seats: int | None = None) -> UUID:
    """The request's half of every action on an order: its operation, and the word to the order's process.

    The process is started first should it be missing, so an order goes on whatever has happened to Temporal.
    """
    operation_id = note_operation(tx, known, verb=verb, payload=payload, seats=seats)
    outbox.update(
        tx,
        process=PROCESS,
        process_id=f"purchase-order/{known.id}",
        argument={
            "tenant_id": str(tx.tenant_id),
            "order_id": str(known.id),
            "reminder_after": f"PT{int(REMINDER_AFTER.total_seconds())}S",
            "lapse_after": f"PT{int(LAPSE_AFTER.total_seconds())}S",
        },
        verb=verb,
        operation_id=operation_id,
    )
    return operation_id


def note_operation(
    tx: Tx, known: OrderWithLines, *, verb: str, payload: Mapping[str, Any], seats: int | None = None
) -> UUID:
    """An operation on an order that no process hears of yet."""
    return operations.open_operation(
        tx,
        kind=f"{OBJECT}.{verb}",
        subject=operations.Subject(object=OBJECT, id=known.id, number=known.order.po_number),
        payload=payload,
        total=1 if seats is None else seats,
        unit="steps" if seats is None else "seats",
    )


def found(tx: Tx, order_id: UUID) -> OrderWithLines:
    """The order, unlocked: what a request checks. Raises Refused `not_found`."""
    return _there(purchasing.find(tx, order_id))


def locked(tx: Tx, order_id: UUID) -> OrderWithLines:
    """The order, locked: what an activity changes. Raises Refused `not_found` for a draft deleted meanwhile."""
    return _there(purchasing.lock(tx, order_id))


def begin_submit(tx: Tx, order_id: UUID) -> UUID:
    """Ask for the order to be sent to its supplier. Raises Refused `wrong_state`."""
    known = found(tx, order_id)
    ORDER.after(known.status, "submit")
    lapses_at = purchasing.now(tx) + LAPSE_AFTER
    return begin(tx, known, verb="submit", payload={"lapses_at": lapses_at.isoformat()})


def begin_confirm(tx: Tx, order_id: UUID, answer: Answer) -> UUID:
    """Ask for the supplier's answer to be noted. Raises Refused `invalid`, `nothing_confirmed`, `wrong_state`."""
    known = found(tx, order_id)
    confirmation(known, answer)
    ORDER.after(known.status, "confirm")
    lines = [[str(line_id), quantity] for line_id, quantity in answer.lines]
    payload = {"supplier_reference": answer.supplier_reference, "lines": lines}
    return begin(tx, known, verb="confirm", payload=payload)


def begin_cancel(tx: Tx, order_id: UUID, *, reason: str) -> UUID:
    """Ask for the undelivered rest to be cancelled. Raises Refused `wrong_state`."""
    known = found(tx, order_id)
    cancellation(known)
    return begin(tx, known, verb="cancel", payload={"reason": reason})


def confirmation(known: OrderWithLines, answer: Answer) -> dict[UUID, int]:
    """Confirmed seats of every line. Raises Refused `invalid` or `nothing_confirmed`, pointing into the answer."""
    seen: set[UUID] = set()
    for index, (line_id, _) in enumerate(answer.lines):
        if line_id in seen:
            fault = Fault(f"/lines/{index}/line_id", "duplicate_line", "This line was answered before.")
            raise Refused("invalid", fault.message, errors=(fault,))
        seen.add(line_id)
    return rules.check_confirmation({line.id: line.quantity for line in known.lines}, dict(answer.lines))


def cancellation(known: OrderWithLines) -> dict[UUID, int]:
    """The seats of each line that cancelling gives up. Raises Refused `wrong_state`."""
    ORDER.after(known.status, "cancel")
    return _undelivered(known)


def after_cancelling(known: OrderWithLines) -> OrderStatus:
    """The status a cancellation leads to: delivered seats stay ours."""
    return ORDER.after(known.status, "cancel")


def _undelivered(known: OrderWithLines) -> dict[UUID, int]:
    confirmed = known.order.confirmed_at is not None
    rest = {line.id: rules.rest_to_cancel(line.facts, confirmed=confirmed) for line in known.lines}
    return {line_id: quantity for line_id, quantity in rest.items() if quantity}


def _there(known: OrderWithLines | None) -> OrderWithLines:
    if known is None:
        raise Refused("not_found", "This order has been deleted.")
    return known


class Purchasing:
    """The steps of an order's process that are one transaction each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="purchasing.position", no_thread_cancel_exception=True)
    def position(self, at: OrderRef) -> Position:
        """Where the order stands, by its line facts."""
        with self._database.transaction(at.tenant_id) as tx:
            return Position.of(purchasing.find(tx, at.order_id))

    @activity.defn(name="purchasing.submit", no_thread_cancel_exception=True)
    def submit(self, step: OrderStep) -> Position:
        """Send the order to its supplier."""
        return self._carry_out(step, _submit)

    @activity.defn(name="purchasing.confirm", no_thread_cancel_exception=True)
    def confirm(self, step: OrderStep) -> Position:
        """Note the supplier's answer."""
        return self._carry_out(step, _confirm)

    @activity.defn(name="purchasing.cancel", no_thread_cancel_exception=True)
    def cancel(self, step: OrderStep) -> Position:
        """Give up what has not been delivered."""
        return self._carry_out(step, _cancel)

    @activity.defn(name="purchasing.remind", no_thread_cancel_exception=True)
    def remind(self, reminder: Reminder) -> Position:
        """Write to the supplier once more, once per reminder, unless it has answered."""
        with self._database.transaction(reminder.tenant_id) as tx:
            known = purchasing.lock(tx, reminder.order_id)
            if known is not None and known.status == OrderStatus.PENDING:
                _write_to_supplier(
                    tx, known, letter="order_reminder", key=f"order {known.id} reminder {reminder.number}"
                )
            return Position.of(known)

    @activity.defn(name="purchasing.lapse", no_thread_cancel_exception=True)
    def lapse(self, at: OrderRef) -> Position:
        """Cancel an order the supplier never answered."""
        with self._database.transaction(at.tenant_id) as tx:
            known = purchasing.lock(tx, at.order_id)
            if known is not None and known.status == OrderStatus.PENDING:
                _lapse(tx, known)
            return Position.of(purchasing.find(tx, at.order_id))

    def _carry_out(self, step: OrderStep, work: Any) -> Position:
        carry_out(self._database, tenant_id=step.tenant_id, operation_id=step.operation_id, work=work)
        return self.position(OrderRef(tenant_id=step.tenant_id, order_id=step.order_id))


def _submit(tx: Tx, operation: Operation) -> Result:
    known = locked(tx, operation.subject_id)
    to = ORDER.after(known.status, "submit")
    purchasing.submit(tx, known.id)
    _note(tx, known, to=to, operation=operation)
    _write_to_supplier(tx, known, letter="order_to_supplier", key=f"order {known.id}")
    return {"purchase_order_id": known.id, "status": to}


def _confirm(tx: Tx, operation: Operation) -> Result:
    known = locked(tx, operation.subject_id)
    said = operation.payload
    answer = Answer(
        supplier_reference=said["supplier_reference"],
        lines=tuple((UUID(line_id), quantity) for line_id, quantity in said["lines"]),
    )
    quantities = confirmation(known, answer)
    to = ORDER.after(known.status, "confirm")
    purchasing.confirm(tx, known.id, quantities=quantities, supplier_reference=answer.supplier_reference)
    _note(tx, known, to=to, operation=operation)
    lines = [{"line_id": line_id, "confirmed_quantity": quantity} for line_id, quantity in quantities.items()]
    return {"purchase_order_id": known.id, "status": to, "lines": lines}


def _cancel(tx: Tx, operation: Operation) -> Result:
    known = locked(tx, operation.subject_id)
    quantities = cancellation(known)
    to = after_cancelling(known)
    reason = operation.payload["reason"]
    purchasing.cancel(tx, known.id, quantities=quantities, reason=reason)
    _note(tx, known, to=to, operation=operation, reason=reason)
    lines = [{"line_id": line_id, "cancelled_quantity": quantity} for line_id, quantity in quantities.items()]
    return {"purchase_order_id": known.id, "status": to, "lines": lines}


def _lapse(tx: Tx, known: OrderWithLines) -> None:
    to = ORDER.after(known.status, "lapse")
    reason = "The supplier did not answer in time."
    purchasing.cancel(tx, known.id, quantities=_undelivered(known), reason=reason)
    _note(tx, known, to=to, reason=reason)
    _write_to_supplier(tx, known, letter="order_lapsed", key=f"order {known.id} lapsed")


def _note(
    tx: Tx, known: OrderWithLines, *, to: OrderStatus, operation: Operation | None = None, reason: str | None = None
) -> None:
    history.note(
        tx,
        object=OBJECT,
        subject_id=known.id,
        from_status=known.status,
        to_status=to,
        reason=reason,
        operation_id=operation.id if operation else None,
    )


def _write_to_supplier(tx: Tx, known: OrderWithLines, *, letter: str, key: str) -> None:
    """A letter with the order's paper, when the supplier has an address."""
    supplier = suppliers.find(tx, known.order.supplier_id)
    paper = request_order(tx, known.id)
    if supplier is not None and supplier.email:
        outbox.mail(tx, key=key, letter=letter, subject_id=known.id, to=supplier.email, documents=[paper])
