"""An agency at a stand: made as the command line makes one, then trading through the API like anybody."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from activities import access
from db.transaction import Database
from demo.caller import Caller, Json

PASSWORD = "allotment-stand"  # noqa: S105 -- of agencies that live as long as a test
ROW = 100
"""Seats of a row in the halls made here."""


def money(amount: str, currency: str = "EUR") -> Json:
    """An amount as the API takes it."""
    return {"amount": amount, "currency": currency}


def create(app_url: str, *, name: str = "Parkside Tickets", currency: str = "EUR") -> str:
    """An agency with an owner and no events; the owner's address. Its password is PASSWORD."""
    email = f"owner@{name.lower().replace(' ', '-')}.example"
    with Database(app_url, size=1, name="stand") as database:
        tenant_id = access.create_tenant(database, name=name, currency=currency, timezone="Europe/Berlin")
        with database.transaction(tenant_id) as tx:
            access.add_user(tx, email=email, name="Owner", role="owner", password=PASSWORD)
    return email


@dataclass
class Agency:
    """An owner at the API who makes halls, buys and receives seats, and opens sales."""

    caller: Caller
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def named(self, word: str) -> str:
        """A name that is new at this agency; as a key it makes asking again harmless."""
        return f"{word} {next(self._numbers)}"

    def post(self, path: str, body: Any) -> Json:
        """Make something."""
        made: Json = self.caller.post(path, body, key=self.named(path))
        return made

    def hall(self, sections: Sequence[str], *, seats: int) -> str:
        """A venue with so many seats in each section, in rows of a hundred; its id."""
        body = {"name": self.named("Hall"), "venue_type": "ARENA", "timezone": "Europe/Berlin"}
        venue_id: str = self.post("/api/venues", body)["id"]
        lines = [f"{s},{n // ROW + 1},{n % ROW + 1}" for s in sections for n in range(seats)]
        content = "\n".join(["section,row,seat", *lines]).encode()
        path = f"/api/venues/{venue_id}/seats/import"
        self.caller.upload(path, content, key=self.named("seats"), name="seats.csv")
        return venue_id

    def event(self, venue_id: str, *, days: int = 60) -> str:
        """A draft event so many days from now; its id."""
        start = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
        body = {
            "title": self.named("Evening"),
            "event_type": "CONCERT",
            "venue_id": venue_id,
            "start_datetime": start.isoformat(),
            "end_datetime": (start + timedelta(hours=3)).isoformat(),
            "timezone": "Europe/Berlin",
        }
        event_id: str = self.post("/api/events", body)["id"]
        return event_id

    def supplier(self, *, terms: str = "NET_30") -> str:
        """A supplier with an address; its id."""
        name = self.named("Supplier")
        email = f"{name.lower().replace(' ', '-')}@supplier.example"
        body = {"name": name, "supplier_type": "EVENT_ORGANIZER", "email": email, "payment_terms": terms}
        supplier_id: str = self.post("/api/suppliers", body)["id"]
        return supplier_id

    def order(
        self, supplier_id: str, event_id: str, *, quantity: int, cost: str = "20.00", price: str = "35.00"
    ) -> Json:
        """A draft of one line."""
        line = {
            "event_id": event_id,
            "description": "Seats",
            "quantity": quantity,
            "unit_price": money(cost),
            "retail_price": money(price),
        }
        body = {"supplier_id": supplier_id, "fulfillment_method": "PDF_DELIVERY", "lines": [line]}
        return self.post("/api/purchase-orders", body)

    def does(self, order: Json, verb: str, body: Any = None) -> Json:
        """One step of an order, waited for: its operation."""
        return self.caller.does(f"/api/purchase-orders/{order['id']}/{verb}", body, key=self.named(verb))

    def receives(self, order: Json, section: str, *, quantity: int, reference: str) -> Json:
        """So many seats of a section, taken in on the first line."""
        line = {"line_id": order["lines"][0]["id"], "block": {"section": section}, "quantity": quantity}
        return self.does(order, "receive", {"delivery_reference": reference, "lines": [line]})

    def on_sale(self, *, seats: int, section: str = "Stalls", days: int = 60) -> str:
        """An event on sale whose seats are all owned; its id. Needs a running engine."""
        event_id = self.event(self.hall([section], seats=seats), days=days)
        order = self.order(self.supplier(), event_id, quantity=seats)
        for verb in ("submit", "confirm"):
            self.does(order, verb)
        self.receives(order, section, quantity=seats, reference="LS-1")
        for verb in ("publish", "open-sales"):
            self.post(f"/api/events/{event_id}/{verb}", None)
        return event_id

    def seats(self, event_id: str) -> list[str]:
        """The ids of an event's sellable seats, in human order."""
        path = f"/api/inventory/events/{event_id}/seats"
        return [
            seat["event_seat_id"] for seat in self.caller.everything(path, status="AVAILABLE", ownership_status="OWNED")
        ]

    def customer(self) -> str:
        """Somebody to sell to; the id."""
        name = self.named("Customer")
        customer_id: str = self.post("/api/customers", {"name": name, "email": "customer@mail.example"})["id"]
        return customer_id
