"""What is shown of bookings that ended without a sale: no tickets kept, no money kept, nothing owed."""

from __future__ import annotations

from typing import Any

import psycopg

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.callers import Caller
from tests.makers.trade import a_stock

Connection = psycopg.Connection[Any]


def a_basket(database: Database, tenant: Agency, boxoffice: Caller) -> Any:
    """Two seats reserved through the API."""
    stock = a_stock(database, tenant)
    customer = boxoffice.made("/api/customers", {"name": "Ada", "email": "ada@example.org"})["id"]
    seats = [str(seat) for seat in stock.seats[:2]]
    return boxoffice.made("/api/bookings", {"customer_id": customer, "event_id": str(stock.event_id), "seats": seats})


def test_a_lapsed_booking_keeps_no_tickets_and_owes_nothing(
    database: Database, tenant: Agency, boxoffice: Caller, owner_connection: Connection
) -> None:
    basket = a_basket(database, tenant, boxoffice)
    owner_connection.execute(
        """UPDATE bookings SET status = 'CANCELLED', cancellation_reason = 'EXPIRED', cancelled_at = now(),
           paid = total_amount, refunded = total_amount, payment_status = 'REFUNDED' WHERE id = %s""",
        (basket["id"],),
    )

    summary = boxoffice.read(f"/api/bookings/{basket['id']}/summary")
    booking = boxoffice.read(f"/api/bookings/{basket['id']}")

    amounts = {name: summary[name]["amount"] for name in ("subtotal", "service_fee", "total_amount", "balance")}
    assert set(amounts.values()) == {"0.00"}
    assert summary["paid"] == summary["refunded"] == basket["total_amount"]
    assert (booking["ticket_count"], booking["total_amount"]["amount"], len(booking["tickets"])) == (0, "0.00", 2)


def test_the_history_of_a_booking_begins_with_the_newest_change(
    database: Database, tenant: Agency, boxoffice: Caller, owner_connection: Connection
) -> None:
    basket = a_basket(database, tenant, boxoffice)
    owner_connection.execute(
        """INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status)
           SELECT tenant_id, object, subject_id, 'x', 'RESERVED', 'CANCELLED' FROM history WHERE subject_id = %s""",
        (basket["id"],),
    )

    changes = boxoffice.read(f"/api/bookings/{basket['id']}/history")["data"]

    assert [change["to"] for change in changes] == ["CANCELLED", "RESERVED"]
