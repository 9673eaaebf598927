"""What a cancellation is asked and told in tests."""

from __future__ import annotations

from uuid import UUID

import pytest

from activities import cancelling as steps
from db import booking as bookings
from db.transaction import Tx
from domain.refunds import Policy, Quote
from domain.states import Refused
from tests.makers.selling import Shop


def ids(shop: Shop, booking_id: UUID, *places: int) -> list[UUID]:
    held = shop.tickets(booking_id)
    return [held[place - 1].id for place in places]


def quoted(shop: Shop, booking_id: UUID, ticket_ids: list[UUID] | None) -> tuple[UUID, Quote]:
    with shop.tx() as tx:
        booking = bookings.take(tx, booking_id)
        numbers, _ = steps.quote(tx, booking, ticket_ids)
        return steps.freeze(tx, booking, numbers)[0], numbers


def refusal(shop: Shop, booking_id: UUID, ticket_ids: list[UUID] | None, *, quote_id: UUID | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        shop.ask_cancel(booking_id, ticket_ids, quote_id=quote_id)
    return caught.value


def money(shop: Shop, booking_id: UUID) -> dict[str, str]:
    found = shop.booking(booking_id)
    names = ("subtotal", "service_fee", "total_amount", "paid", "refunded", "refunds_pending")
    return {name: str(getattr(found, name)) for name in names}


def change_policy(tx: Tx, booking_id: UUID, policy: Policy) -> None:
    from psycopg.types.json import Jsonb

    tx.run("UPDATE bookings SET policy = %s WHERE id = %s", (Jsonb(policy.snapshot()), booking_id))


def begun(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE events SET start_at = now() WHERE id = %s", (shop.stock.event_id,))
