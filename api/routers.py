"""Every resource's router: first those a rush asks for, because they are tried in this order."""

from __future__ import annotations

from api import (
    access,
    accounts_payable,
    bookings,
    customers,
    events,
    inventory,
    ledger,
    operations,
    papers,
    payments,
    purchase_orders,
    receipts,
    sales,
    settings,
    suppliers,
    tickets,
    venues,
)

ROUTERS = (
    bookings.desk,
    payments.desk,
    tickets.desk,
    access.login,
    access.desk,
    settings.desk,
    venues.desk,
    events.desk,
    inventory.desk,
    suppliers.desk,
    purchase_orders.desk,
    receipts.desk,
    accounts_payable.desk,
    customers.desk,
    papers.desk,
    sales.desk,
    ledger.desk,
    operations.desk,
)
