"""Seats on sale to be reserved: laid in step by step as the trade does it, and put back between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg

from activities import access as logins
from activities import ordering, places, purchasing, receiving
from activities.delivery_notes import Block, Note
from activities.ordering import Draft, DraftLine, Price
from activities.purchasing import Answer, OrderStep, Purchasing
from activities.receiving import DeliveryStep, Receiving
from db import booking as bookings
from db import customers, events, inventory, suppliers
from db import places as halls
from db.customers import CustomerFacts
from db.events import EventFacts
from db.places import VenueFacts
from db.suppliers import SupplierFacts
from db.transaction import Database, Tx
from domain.places import parse_seat_csv

SECTION, ROW, ZONE, CURRENCY = "Stalls", 100, "Europe/Berlin", "EUR"
PRICE, COST = Decimal("35.00"), Decimal("20.00")
FEE_PERCENT, TAX_RATE = Decimal(10), Decimal("0.07")
PASSWORD = "allotment-bench"  # noqa: S105 -- of agencies that live as long as a run
CUSTOMERS = 50
BASKET = 4
FILE = 50_000
"""Seats imported at once."""

# What a sale leaves behind. The seats themselves stay; a seat that was sold is offered again.
EMPTIED = "bookings, tickets, history, outbox, idempotency_keys"
OFFERED = "UPDATE event_seats SET status = 'AVAILABLE', held_until = NULL WHERE status <> 'AVAILABLE'"
# A run may last longer than a token.
KEPT = "UPDATE credentials SET expires_at = now() + interval '1 day' WHERE kind = 'ACCESS'"
TOUCHED = ("event_seats", "customers", "events", "tenants", "credentials")
SOLD_INTO = ("bookings", "tickets", "history", "outbox")


@dataclass(frozen=True, kw_only=True)
class OnSale:
    """An event whose seats are all owned and on sale, and whom they may be sold to; `seats` are in human order."""

    tenant_id: UUID
    event_id: UUID
    seats: tuple[UUID, ...]
    customers: tuple[UUID, ...]
    token: str

    def baskets(self, *, size: int = BASKET) -> list[Basket]:
        """All the seats in baskets of neighbours, each for the next customer."""
        starts = range(0, len(self.seats) - size + 1, size)
        return [Basket(self, self.customers[at % len(self.customers)], self.seats[at : at + size]) for at in starts]


@dataclass(frozen=True)
class Basket:
    """Seats one customer asks for."""

    sale: OnSale
    customer_id: UUID
    seats: tuple[UUID, ...]

    def body(self) -> dict[str, object]:
        """As the API takes it."""
        seats = [str(seat) for seat in self.seats]
        return {"customer_id": str(self.customer_id), "event_id": str(self.sale.event_id), "seats": seats}


def lay_in(database: Database, *, name: str, seats: int) -> OnSale:
    """An agency of its own with one event on sale: ordered, confirmed and received as its processes would do it."""
    tenant_id = logins.create_tenant(database, name=name, currency=CURRENCY, timezone=ZONE)
    owner = f"owner@{name.lower().replace(' ', '-')}.example"
    with database.transaction(tenant_id, actor=owner) as tx:
        logins.add_user(tx, email=owner, name="Owner", role="owner", password=PASSWORD)
        event_id = _event(tx, seats=seats)
        order_id = _order(tx, event_id, seats=seats)
        buyers = tuple(customers.add(tx, facts) for facts in _customers())
    Receiving(database).record(_delivered(database, tenant_id, order_id, seats=seats))
    with database.transaction(tenant_id, actor=owner) as tx:
        owned = tx.values("SELECT id FROM event_seats WHERE event_id = %s ORDER BY sort_key", (event_id,))
    token = logins.log_in(database, account=owner, password=PASSWORD, address="bench").access_token
    return OnSale(tenant_id=tenant_id, event_id=event_id, seats=tuple(owned), customers=buyers, token=token)


def a_delivery(database: Database, *, name: str, seats: int) -> DeliveryStep:
    """An agency of its own whose whole order stands at the door: the step that takes it in is all that is left."""
    tenant_id = logins.create_tenant(database, name=name, currency=CURRENCY, timezone=ZONE)
    with database.transaction(tenant_id) as tx:
        order_id = _order(tx, _event(tx, seats=seats), seats=seats)
    return _delivered(database, tenant_id, order_id, seats=seats)


def put_back(owner_url: str) -> None:
    """Every basket forgotten and every seat on offer again. What is sold into is as nobody has counted it yet."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {EMPTIED} CASCADE")
        connection.execute(OFFERED)
        connection.execute(KEPT)
        for table in TOUCHED:
            connection.execute(f"VACUUM (ANALYZE) {table}")
        connection.execute("CHECKPOINT")


def count(owner_url: str) -> None:
    """What autovacuum does within seconds of a house's first sales: from here the planner knows that there are bookings."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"ANALYZE {', '.join(SOLD_INTO)}")


def _customers() -> Iterator[CustomerFacts]:
    for number in range(CUSTOMERS):
        yield CustomerFacts(
            name=f"Customer {number}", email="customer@mail.example", phone=None, customer_type="INDIVIDUAL"
        )


def _event(tx: Tx, *, seats: int) -> UUID:
    hall = VenueFacts(name="Hall", venue_type="ARENA", timezone=ZONE, address=None)
    venue_id = halls.add(tx, hall)
    for first in range(0, seats, FILE):
        lines = [f"{SECTION},{seat // ROW + 1},{seat % ROW + 1}" for seat in range(first, min(first + FILE, seats))]
        halls.put_seats(tx, venue_id, parse_seat_csv("\n".join(["section,row,seat", *lines]).encode()))
    start = bookings.database_now(tx) + timedelta(days=60)
    facts = EventFacts(
        title="On sale",
        event_type="CONCERT",
        venue_id=venue_id,
        start_at=start,
        end_at=start + timedelta(hours=3),
        timezone=ZONE,
        currency=CURRENCY,
        tax_rate=TAX_RATE,
        description=None,
    )
    event_id = events.add(tx, facts)
    inventory.fill(tx, event_id, venue_id=venue_id)
    for verb in ("publish", "open_sales"):
        places.move_event(tx, event_id, verb=verb)
    return event_id


def _order(tx: Tx, event_id: UUID, *, seats: int) -> UUID:
    supplier_id = suppliers.add(
        tx,
        SupplierFacts(
            name="Supplier",
            supplier_type="EVENT_ORGANIZER",
            email=None,
            payment_terms="NET_30",
            wholesale_discount_rate=None,
            tax_id=None,
            contact_person=None,
            notes=None,
        ),
    )
    line = DraftLine(
        event_id=event_id,
        description=SECTION,
        quantity=seats,
        unit_price=Price(amount=COST, currency=CURRENCY),
        retail_price=Price(amount=PRICE, currency=CURRENCY),
        seats=(),
    )
    return ordering.make(tx, _draft(supplier_id, [line]))


def _draft(supplier_id: UUID, lines: Sequence[DraftLine]) -> Draft:
    return Draft(
        supplier_id=supplier_id,
        fulfillment_method="PDF_DELIVERY",
        currency=None,
        payment_terms=None,
        expected_date=None,
        reference=None,
        notes=None,
        lines=lines,
    )


def _delivered(database: Database, tenant_id: UUID, order_id: UUID, *, seats: int) -> DeliveryStep:
    """The steps of the order's process up to the delivery, one after the other."""
    steps = Purchasing(database)
    with database.transaction(tenant_id) as tx:
        operation_id = purchasing.begin_submit(tx, order_id)
    steps.submit(OrderStep(tenant_id=tenant_id, order_id=order_id, operation_id=operation_id))
    with database.transaction(tenant_id) as tx:
        operation_id = purchasing.begin_confirm(tx, order_id, Answer(supplier_reference=None, lines=()))
    steps.confirm(OrderStep(tenant_id=tenant_id, order_id=order_id, operation_id=operation_id))
    with database.transaction(tenant_id) as tx:
        line_id = tx.value("SELECT id FROM purchase_order_lines WHERE purchase_order_id = %s", (order_id,))
        block = Block(place="/lines/0", line_id=line_id, section=SECTION, rows=None, quantity=seats)
        now = bookings.database_now(tx)
        note = Note(reference="LS-1", said_at=None, delivered_at=now, blocks=(block,))
        operation_id = receiving.begin_receive(tx, order_id, note)
    return DeliveryStep(tenant_id=tenant_id, order_id=order_id, operation_id=operation_id)
