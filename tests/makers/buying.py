"""Buying over HTTP, with the steps that an order's process would take done at once in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from httpx2 import Response

from activities.payables import Payables, PaymentStep
from activities.purchasing import OrderStep, Purchasing
from activities.receiving import DeliveryStep, Receiving
from db.transaction import Database
from tests.makers.callers import Caller
from tests.makers.places import a_venue, an_event


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def a_supplier(buyer: Caller, **more: Any) -> str:
    """A supplier with an address and 30 days; its id."""
    body = {
        "name": "Theater AG",
        "supplier_type": "VENUE_OWNER",
        "email": "orders@theater.example",
        "payment_terms": "NET_30",
        **more,
    }
    supplier_id: str = buyer.made("/api/suppliers", body)["id"]
    return supplier_id


def a_line(event_id: str, *, quantity: int = 10, unit_price: str = "20.00", **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "description": "Parkett",
        "quantity": quantity,
        "unit_price": eur(unit_price),
        **more,
    }


@dataclass(frozen=True)
class Buying:
    """One agency's buying side: who asks, and the database that the processes' steps work on."""

    buyer: Caller
    finance: Caller
    database: Database
    tenant_id: UUID
    event_id: str
    supplier_id: str

    def draft(self, *lines: dict[str, Any], **more: Any) -> Any:
        """A draft of these lines, or of ten seats at 20.00."""
        body = {
            "supplier_id": self.supplier_id,
            "fulfillment_method": "PDF_DELIVERY",
            "lines": list(lines) or [a_line(self.event_id)],
            **more,
        }
        return self.buyer.made("/api/purchase-orders", body)

    def pending(self, *lines: dict[str, Any], **more: Any) -> Any:
        """An order at its supplier."""
        order = self.draft(*lines, **more)
        self.done(order["id"], "submit")
        return self.order(order["id"])

    def confirmed(self, *lines: dict[str, Any], **more: Any) -> Any:
        """An order its supplier has confirmed in full."""
        order = self.pending(*lines, **more)
        self.done(order["id"], "confirm")
        return self.order(order["id"])

    def order(self, order_id: str) -> Any:
        """The order as it is now."""
        return self.buyer.read(f"/api/purchase-orders/{order_id}")

    def ask(self, order_id: str, verb: str, body: Any = None, **more: Any) -> Response:
        """Ask for something to be done with an order; nothing is done yet."""
        caller = self.finance if verb == "pay" else self.buyer
        return caller.post(f"/api/purchase-orders/{order_id}/{verb}", body, **more)

    def carried(self, answer: Response) -> Any:
        """The operation that was accepted, after its process's step."""
        assert answer.status_code == 202, answer.text
        operation = answer.json()
        self.step(operation)
        return self.buyer.read(f"/api/operations/{operation['id']}")

    def step(self, operation: Any) -> None:
        """What the process of the operation would do."""
        tenant_id, operation_id = self.tenant_id, UUID(operation["id"])
        verb = operation["kind"].rpartition(".")[2]
        if verb == "pay":
            Payables(self.database).pay(PaymentStep(tenant_id=tenant_id, operation_id=operation_id))
            return
        order_id = UUID(operation["subject"]["id"])
        if verb == "receive":
            step = DeliveryStep(tenant_id=tenant_id, order_id=order_id, operation_id=operation_id)
            Receiving(self.database).record(step)
            return
        getattr(Purchasing(self.database), verb)(
            OrderStep(tenant_id=tenant_id, order_id=order_id, operation_id=operation_id)
        )

    def done(self, order_id: str, verb: str, body: Any = None) -> Any:
        """Something asked and carried out; it must have gone well."""
        operation = self.carried(self.ask(order_id, verb, body))
        assert operation["status"] == "succeeded", operation
        return operation

    def received(self, order: Any, *seats: str, reference: str = "LS-1", **more: Any) -> Any:
        """Seats of the order's first line, taken in."""
        return self.done(order["id"], "receive", a_note(order, *seats, reference=reference, **more))


def a_note(order: Any, *seats: str, reference: str = "LS-1", line: int = 0, **more: Any) -> dict[str, Any]:
    """A delivery note of one list."""
    return {
        "delivery_reference": reference,
        "lines": [{"line_id": order["lines"][line]["id"], "seats": list(seats)}],
        **more,
    }


def a_block(order: Any, section: str, quantity: int, *, rows: str | None = None, reference: str = "LS-1") -> Any:
    """A delivery note of one block."""
    block = {"section": section} if rows is None else {"section": section, "rows": rows}
    line = {"line_id": order["lines"][0]["id"], "block": block, "quantity": quantity}
    return {"delivery_reference": reference, "lines": [line]}


def buying_in(
    database: Database, *, owner: Caller, buyer: Caller, finance: Caller, tenant_id: UUID, csv: bytes | None = None
) -> Buying:
    """An event in a hall of three rows of ten (or of the file), and a supplier."""
    event = an_event(owner, venue_id=a_venue(owner, csv=csv))
    return Buying(buyer, finance, database, tenant_id, event["id"], a_supplier(buyer))
