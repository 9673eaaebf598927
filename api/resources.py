"""What each path parameter names: the table its id or human number is looked up in, and where its page is."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.transaction import Tx


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing a path can name."""

    word: str
    table: str
    number: str | None
    url: str


RESOURCES: dict[str, Resource] = {
    "operation_id": Resource("operation", "operations", None, "/api/operations/{id}"),
    "key_id": Resource("api_key", "credentials", None, "/api/api-keys/{id}"),
    "venue_id": Resource("venue", "venues", None, "/api/venues/{id}"),
    "event_id": Resource("event", "events", None, "/api/events/{id}"),
    "event_seat_id": Resource("event_seat", "event_seats", None, "/api/inventory/seats/{id}"),
    "supplier_id": Resource("supplier", "suppliers", None, "/api/suppliers/{id}"),
    "order_id": Resource("purchase_order", "purchase_orders", "po_number", "/api/purchase-orders/{id}"),
    "receipt_id": Resource("receipt", "receipts", "receipt_number", "/api/receipts/{id}"),
    "bill_id": Resource("bill", "bills", "number", "/api/accounts-payable/{id}"),
    "customer_id": Resource("customer", "customers", None, "/api/customers/{id}"),
    "booking_id": Resource("booking", "bookings", "booking_number", "/api/bookings/{id}"),
    "payment_id": Resource("payment", "payments", None, "/api/payments/{id}"),
    "ticket_id": Resource("ticket", "tickets", "ticket_number", "/api/tickets/{id}"),
}

URLS = {resource.word: resource.url for resource in RESOURCES.values()}


def as_uuid(text: str) -> UUID | None:
    """The id a text spells in its usual 36 characters, else None."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def resolve(tx: Tx, parameter: str, text: str, *, lock: bool = False) -> UUID | None:
    """The id of the thing a path names by id or human number; None when this agency has no such thing."""
    resource = RESOURCES[parameter]
    found = as_uuid(text)
    suffix = " FOR UPDATE" if lock else ""
    if found is not None:
        query = f"SELECT id FROM {resource.table} WHERE tenant_id = %s AND id = %s{suffix}"  # noqa: S608 -- names are the constants above
    elif resource.number and text.isascii() and text.isprintable() and len(text) <= 40:
        query = f"SELECT id FROM {resource.table} WHERE tenant_id = %s AND {resource.number} = %s{suffix}"  # noqa: S608 -- as above
    else:
        return None
    row: UUID | None = tx.value(query, (tx.tenant_id, found or text))
    return row
