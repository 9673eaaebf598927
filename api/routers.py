"""Every resource's router, in the order the API description shows them."""

from __future__ import annotations

from api import access, bookings, operations, payments, suppliers, tickets

ROUTERS = (access.login, access.desk, suppliers.desk, bookings.desk, payments.desk, tickets.desk, operations.desk)
