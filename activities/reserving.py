"""Reserving: the one process step that runs inside the request, because a rush must not wait for an engine."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from db import reserving
from db.ids import new_id
from db.reserving import BasketSeat, NewBooking, NewTicket, Reserved
from db.transaction import Tx
from domain.booking import Priced, price
from domain.numbers import barcode
from domain.refunds import DEFAULT_POLICY
from domain.states import Fault, Refused

TRIES = 3
SECRET = 15
"""Bytes of a barcode that nobody can guess."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReservedSeat:
    """One ticket of a new booking, with its place."""

    ticket_id: UUID
    ticket_number: str
    event_seat_id: UUID
    section: str
    row_label: str
    seat_number: str
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """A new booking: seats held until `reserved_until`, nothing paid."""

    booking_id: UUID
    booking_number: str
    reserved_until: datetime
    created_at: datetime
    currency: str
    priced: Priced
    seats: tuple[ReservedSeat, ...]


def reserve(
    tx: Tx, *, customer_id: UUID, event_id: UUID, seat_ids: Sequence[UUID], default_window: timedelta
) -> Reservation:
    """Hold all the seats for one customer, or none: one reading and one taking round trip.

    Raises Refused `duplicate_seat`, `unknown_id`, `not_on_sale`, `no_price`, and `seats_unavailable` with the facts
    `unavailable` and `still_available` (event seat ids in the order asked for). A lost race for the live-ticket index
    leaves as psycopg's UniqueViolation: the desk asks again in a new transaction.
    """
    _check_distinct(seat_ids)
    for _ in range(TRIES):
        basket = reserving.read_basket(tx, event_id=event_id, customer_id=customer_id, seat_ids=seat_ids)
        _check_basket(basket, seat_ids)
        priced = price(
            [_priced(seat) for seat in basket],
            fee_percent=basket[0].service_fee_percent,
            currency=basket[0].currency,
            tax_rate=basket[0].tax_rate or Decimal(0),
        )
        booking = _booking(basket, priced, customer_id=customer_id, event_id=event_id, default_window=default_window)
        reserved = _take(tx, booking)
        if reserved is not None:
            return _reservation(booking, reserved, basket, priced)
        # Somebody was faster, or a price changed between reading and taking: look again and say which.
    raise _unavailable(seat_ids, gone=set(seat_ids))


def _check_distinct(seat_ids: Sequence[UUID]) -> None:
    seen: set[UUID] = set()
    for place, seat_id in enumerate(seat_ids):
        if seat_id in seen:
            raise Refused("duplicate_seat", f"seat {seat_id} is named twice", pointer=f"/seats/{place}")
        seen.add(seat_id)


def _check_basket(basket: Sequence[BasketSeat], seat_ids: Sequence[UUID]) -> None:
    """Every refusal that can be told from what was read, in the contract's order: unknown ids, then states."""
    first = basket[0]
    faults: list[Fault] = []
    if first.event_status is None:
        faults.append(Fault("/event_id", "unknown_id", "there is no such event"))
    if not first.customer_known:
        faults.append(Fault("/customer_id", "unknown_id", "there is no such customer"))
    if first.event_status is not None:
        found = {seat.seat_id for seat in basket}
        faults += [
            Fault(f"/seats/{place}", "unknown_id", "the event has no such seat")
            for place, seat_id in enumerate(seat_ids)
            if seat_id not in found
        ]
    if faults:
        raise Refused("unknown_id", faults[0].message, errors=tuple(faults))
    if first.event_status != "ON_SALE" or first.over:
        raise Refused("not_on_sale", "the event is not on sale")
    gone = {seat.seat_id for seat in basket if not seat.free and seat.seat_id}
    if gone:
        raise _unavailable(seat_ids, gone=gone)
    unpriced = [place for place, seat_id in enumerate(seat_ids) if _without_price(basket, seat_id)]
    if unpriced:
        faults = [Fault(f"/seats/{place}", "no_price", "the seat has no retail price") for place in unpriced]
        raise Refused("no_price", "a seat has no retail price yet", errors=tuple(faults))


def _without_price(basket: Sequence[BasketSeat], seat_id: UUID) -> bool:
    return any(seat.seat_id == seat_id and seat.retail_price is None for seat in basket)


def _priced(seat: BasketSeat) -> Decimal:
    assert seat.retail_price is not None, "seats without a price were refused"
    return seat.retail_price


def _unavailable(seat_ids: Sequence[UUID], *, gone: set[UUID]) -> Refused:
    lost = [seat_id for seat_id in seat_ids if seat_id in gone]
    left = [seat_id for seat_id in seat_ids if seat_id not in gone]
    words = f"{len(lost)} of {len(seat_ids)} seats are not available"
    return Refused("seats_unavailable", words, facts={"unavailable": lost, "still_available": left})


def _booking(
    basket: Sequence[BasketSeat], priced: Priced, *, customer_id: UUID, event_id: UUID, default_window: timedelta
) -> NewBooking:
    shares = zip(basket, _barcodes(len(basket)), priced.prices, priced.fee_shares, priced.tax_shares, strict=True)
    tickets = [
        NewTicket(
            id=new_id(),
            event_seat_id=seat.seat_id or UUID(int=0),
            price=list_price.amount,
            fee=fee.amount,
            tax=tax.amount,
            barcode=code,
        )
        for seat, code, list_price, fee, tax in shares
    ]
    return NewBooking(
        id=new_id(),
        customer_id=customer_id,
        event_id=event_id,
        window=basket[0].reservation_window or default_window,
        currency=basket[0].currency,
        subtotal=priced.subtotal.amount,
        service_fee=priced.service_fee.amount,
        tax_amount=priced.tax_amount.amount,
        total_amount=priced.total.amount,
        policy=DEFAULT_POLICY.snapshot(),
        tickets=tickets,
    )


def _barcodes(count: int) -> Iterator[str]:
    """Drawn at once: whoever asks the system for random bytes lets the other threads go first."""
    drawn = secrets.token_bytes(SECRET * count)
    return (barcode(drawn[at : at + SECRET]) for at in range(0, len(drawn), SECRET))


def _take(tx: Tx, booking: NewBooking) -> Reserved | None:
    process = {
        "process": "Booking",
        "process_id": f"booking/{booking.id}",
        "argument": {"tenant_id": str(tx.tenant_id), "booking_id": str(booking.id), "capture_at_once": True},
    }
    return reserving.take(tx, booking, message_id=new_id(), process=process)


def _reservation(booking: NewBooking, reserved: Reserved, basket: Sequence[BasketSeat], priced: Priced) -> Reservation:
    return Reservation(
        booking_id=booking.id,
        booking_number=reserved.booking_number,
        reserved_until=reserved.reserved_until,
        created_at=reserved.created_at,
        currency=booking.currency,
        priced=priced,
        seats=tuple(
            ReservedSeat(
                ticket_id=ticket.id,
                ticket_number=reserved.ticket_numbers[str(ticket.id)],
                event_seat_id=ticket.event_seat_id,
                section=seat.section or "",
                row_label=seat.row_label or "",
                seat_number=seat.seat_number or "",
                price=ticket.price,
            )
            for seat, ticket in zip(basket, booking.tickets, strict=True)
        ),
    )
