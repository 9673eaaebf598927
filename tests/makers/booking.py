"""Bookings brought to where a test begins: paid too late, or refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.states import Refused
from tests.makers.selling import Shop


def cannot_pay(shop: Shop, booking_id: UUID) -> str:
    with pytest.raises(Refused) as caught:
        shop.pay(booking_id)
    return caught.value.code


def expired(shop: Shop, *places: int) -> tuple[UUID, UUID]:
    """A booking whose payment outlasted the grace: ended by the clock, the provider's word still to come."""
    booking_id = shop.basket(*places)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    assert not shop.expire(booking_id).open
    return booking_id, payment_id
