"""A desk: one agency of the kills' house, with seats on sale, orders to make, and a way to the engine behind it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from demo.caller import ENDED, Caller, Json
from prove.kills.callers import result
from prove.kills.engine import EngineRoom
from stand.agency import Agency, money

SEATS = 150
ENDS_WITHIN = 60.0
"""Seconds after healing within which whatever was asked for must have ended."""
OUTAGE = 90.0
"""Seconds more that a desk gives an operation: the outage itself, on a slow machine."""


class Wrong(Exception):
    """Something was promised and came out differently; the message says what."""


class Missed(Exception):
    """A scene did not come off, because somebody was slower than its times allow; nothing is wrong."""


@dataclass
class Desk:
    """An agency whose owner sells and buys; used by one thread at a time but for what it has begun."""

    agency: Agency
    engine: EngineRoom
    owner_url: str
    callers: tuple[Caller, ...]
    venue_id: str = ""
    event_id: str = ""
    stock_event_id: str = ""
    supplier_id: str = ""
    customer_id: str = ""
    tenant_id: str = ""
    _seats: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def caller(self) -> Caller:
        """The owner at the API."""
        return self.agency.caller

    def speak_to(self, number: int) -> None:
        """From now on by the API of this number."""
        self.agency.caller = self.callers[number]

    def hang_up(self) -> None:
        """Close the lines to the APIs."""
        for one in self.callers:
            one.http.close()

    def open(self, *, seats: int = SEATS) -> Desk:
        """Make hall, event, supplier and customer, and buy the seats."""
        agency = self.agency
        self.customer_id, self.supplier_id = agency.customer(), agency.supplier()
        self.event_id = agency.on_sale(seats=seats)
        self.venue_id = self.caller.get(f"/api/events/{self.event_id}")["venue_id"]
        self.stock_event_id = agency.event(self.venue_id)
        with psycopg.connect(self.owner_url) as connection:
            query = "SELECT tenant_id FROM events WHERE id = %s"
            self.tenant_id = str(connection.execute(query, [self.event_id]).fetchall()[0][0])
        return self

    def take_seats(self, count: int) -> list[str]:
        """Seats that this desk has not tried to sell yet, or has again."""
        with self._lock:
            if len(self._seats) < count:
                self._seats = self.agency.seats(self.event_id)
            taken, self._seats = self._seats[:count], self._seats[count:]
            return taken

    def reserve(self, *, seats: list[str] | None = None, count: int = 1) -> Json:
        """A basket."""
        body = {
            "customer_id": self.customer_id,
            "event_id": self.event_id,
            "seats": self.take_seats(count) if seats is None else seats,
        }
        return self.agency.post("/api/bookings", body)

    def begin_payment(self, booking: Json, token: str) -> Json:
        """Ask for money; the operation."""
        body = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": token}
        return self.caller.begins("/api/payments/process", body, key=self.agency.named("pay"))

    def paid(self, token: str = "tok_ok", *, count: int = 1) -> Json:  # noqa: S107 -- the provider's word
        """A booking that is paid for."""
        booking = self.reserve(count=count)
        self.ended(self.begin_payment(booking, token))
        return booking

    def begin_cancel(self, booking: Json) -> Json:
        """Give the whole booking back, or let it go while it is not paid; the operation."""
        path = f"/api/bookings/{booking['id']}"
        return self.caller.begins(path, key=self.agency.named("cancel"), method="DELETE")

    def begin_partial_cancel(self, booking: Json) -> Json:
        """Give the first ticket back; the operation."""
        path = f"/api/bookings/{booking['id']}/tickets/cancel"
        ticket = booking["tickets"][0]["id"]
        body = {"ticket_ids": [ticket], "reason": "CUSTOMER_REQUEST"}
        return self.caller.begins(path, body, key=self.agency.named("cancel"))

    def ended(self, operation: Json, *, how: str = "succeeded", seconds: float = ENDS_WITHIN + OUTAGE) -> Json:
        """The operation once it has ended so. Raises Wrong when it ends otherwise or not in time."""
        deadline = time.monotonic() + seconds
        while operation["status"] not in ENDED:
            if time.monotonic() > deadline:
                raise Wrong(f"{operation['kind']} {operation['id']} is still {operation['status']}")
            time.sleep(0.25)
            operation = self.caller.get(f"/api/operations/{operation['id']}")
        if result(operation) != how:
            raise Wrong(f"{operation['kind']} {operation['id']} ended as {result(operation)}, not {how}")
        return operation

    def order(self, *, quantity: int = 2, event_id: str | None = None, verbs: tuple[str, ...] = ()) -> Json:
        """An order on which these verbs have been done."""
        order = self.agency.order(self.supplier_id, event_id or self.stock_event_id, quantity=quantity)
        for verb in verbs:
            self.ended(self.begin_on(order, verb))
        return order

    def begin_on(self, order: Json, verb: str, body: Any = None) -> Json:
        """A step of an order; its operation."""
        path = f"/api/purchase-orders/{order['id']}/{verb}"
        return self.caller.begins(path, body, key=self.agency.named(verb))

    def begin_receive(self, order: Json, *, quantity: int = 1) -> Json:
        """A delivery of seats that the agency does not own yet."""
        line = {"line_id": order["lines"][0]["id"], "block": {"section": "Stalls"}, "quantity": quantity}
        reference = self.agency.named("LS")
        return self.begin_on(order, "receive", {"delivery_reference": reference, "lines": [line]})

    def begin_pay_supplier(self, order: Json, *, amount: str = "20.00") -> Json:
        """Money to a supplier."""
        body = {"amount": money(amount), "method": "BANK_TRANSFER", "reference": self.agency.named("transfer")}
        return self.begin_on(order, "pay", body)

    def window(self, duration: str) -> None:
        """How long this agency's baskets hold from now on."""
        self.caller.put("/api/settings", {"reservation_window": duration})

    def matinee(self, *, ends_in: float, event_id: str | None = None) -> str:
        """An event in the same hall that will be over then, or this one moved there; its id."""
        ends_at = datetime.now(UTC) + timedelta(seconds=ends_in)
        body = {
            "title": self.agency.named("Matinee"),
            "event_type": "CONCERT",
            "venue_id": self.venue_id,
            "start_datetime": (ends_at - timedelta(hours=2)).isoformat(),
            "end_datetime": ends_at.isoformat(),
            "timezone": "Europe/Berlin",
        }
        if event_id is not None:
            self.caller.put(f"/api/events/{event_id}", body)
            return event_id
        made: str = self.agency.post("/api/events", body)["id"]
        return made

    def closed(self, event_id: str, *, seconds: float = ENDS_WITHIN + OUTAGE) -> None:
        """Wait until upkeep has closed an event. Raises Wrong when it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.owner_url, connect_timeout=2) as connection:
                row = connection.execute("SELECT closed_at FROM events WHERE id = %s", [event_id]).fetchone()
                if row is not None and row[0] is not None:
                    return
            time.sleep(0.3)
        raise Wrong(f"event {event_id} is over and not closed")

    def until(self, path: str, *, seconds: float = ENDS_WITHIN + OUTAGE, **expected: Any) -> None:
        """Read again and again until it says this. Raises Wrong when it does not in time."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.caller.get(path)
            differs = {name: found[name] for name, value in expected.items() if found[name] != value}
            if not differs:
                return
            if time.monotonic() > deadline:
                raise Wrong(f"{path} still says {differs}, not {expected}")
            time.sleep(0.25)
