"""Every resource's router, in the order the API description shows them."""

from __future__ import annotations

from api import access, bookings, ledger, operations, papers, payments, sales, suppliers, tickets

ROUTERS = (
    access.login,
    access.desk,
    suppliers.desk,
    bookings.desk,
    payments.desk,
    tickets.desk,
    papers.desk,
    sales.desk,
    ledger.desk,
    operations.desk,
)
