"""The box office over HTTP, with the steps that a process would take done at once in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from httpx2 import Response

from activities.words import Word
from tests.makers.callers import Caller
from tests.makers.selling import Shop, authorised, captured, refunded


@dataclass(frozen=True)
class Counter:
    """Who sells, and the shop whose seats they are."""

    caller: Caller
    shop: Shop
    customer_id: str

    def ask(self, *places: int, **more: Any) -> Response:
        """Ask for these seats."""
        body = {
            "customer_id": self.customer_id,
            "event_id": str(self.shop.stock.event_id),
            "seats": [str(seat_id) for seat_id in self.shop.seats(*places)],
        }
        return self.caller.post("/api/bookings", body, **more)

    def reserved(self, *places: int) -> Any:
        """These seats reserved."""
        answer = self.ask(*places)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def pay(self, booking: Any, *, token: str = "tok_ok", **more: Any) -> Response:
        """Ask for a booking to be paid."""
        body = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": token}
        return self.caller.post("/api/payments/process", body, **more)

    def sold(self, *places: int) -> Any:
        """These seats sold and paid."""
        booking = self.reserved(*places)
        self.taken(self.pay(booking))
        return self.read(booking)

    def taken(self, answer: Response, *, said: Word | None = None, then: Word | None = None) -> Any:
        """The payment that was accepted, after what the provider said of promise and capture."""
        assert answer.status_code == 202, answer.text
        payment_id = UUID(answer.json()["id"])
        settled = self.shop.settle(payment_id, said or authorised(f"ch_{payment_id.hex}"))
        if settled.then in ("capture", "complete"):
            self.shop.capture(payment_id, then or captured(f"ch_{payment_id.hex}"))
        return self.operation(answer)

    def given_up(self, answer: Response) -> Any:
        """The cancellation or release that was accepted, after its steps."""
        assert answer.status_code == 202, answer.text
        operation = answer.json()
        operation_id, booking_id = UUID(operation["id"]), UUID(operation["subject"]["id"])
        if self.shop.booking(booking_id).status == "RESERVED":
            self.shop.release(booking_id, operation_id)
        elif refund_id := self.shop.cancel(operation_id).refund_id:
            self.shop.refund(refund_id, refunded())
        return self.operation(answer)

    def operation(self, answer: Response) -> Any:
        """The operation as it is now."""
        return self.caller.read(f"/api/operations/{answer.json()['id']}")

    def read(self, booking: Any) -> Any:
        """The booking as it is now."""
        return self.caller.read(f"/api/bookings/{booking['id']}")

    def summary(self, booking: Any) -> dict[str, str]:
        """The amounts of a booking's summary."""
        found = self.caller.read(f"/api/bookings/{booking['id']}/summary")
        return {name: value["amount"] for name, value in found.items() if isinstance(value, dict)}


def a_counter(caller: Caller, shop: Shop) -> Counter:
    """A counter with a customer standing at it."""
    customer = caller.made("/api/customers", {"name": "Erika Muster", "email": "erika@example.org"})
    return Counter(caller, shop, customer["id"])
