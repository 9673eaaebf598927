"""The shop most steps are tried in: one event on sale, its seats owned and priced."""

from __future__ import annotations

from uuid import UUID

import pytest

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.selling import ROUNDS, Shop, a_shop


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def hall(database: Database, tenant: Agency) -> Shop:
    """Seats enough for many rounds."""
    return a_shop(database, tenant, seats=ROUNDS)


@pytest.fixture
def example(shop: Shop) -> UUID:
    """The contract's: three tickets of 39.90, 39.90 and 150.00, sold with a fee of 22.98."""
    for place, amount in ((1, "39.90"), (2, "39.90"), (3, "150.00")):
        shop.price(place, amount)
    return shop.sold(1, 2, 3)
