"""Every resource's router, in the order the API description shows them."""

from __future__ import annotations

from api import access, operations, suppliers

ROUTERS = (access.login, access.desk, suppliers.desk, operations.desk)
