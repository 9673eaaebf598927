"""Seats and events: when a seat may be sold, and what an event's status means."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.seating import (
    EVENT,
    OWNERSHIP,
    EventStatus,
    OwnershipStatus,
    SeatStatus,
    check_on_sale,
    event_can,
    event_status,
    is_sellable,
)
from domain.states import Refused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON, JUST_NOW = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


@pytest.mark.parametrize(("ownership", "status"), list(product(OwnershipStatus, SeatStatus)))
def test_only_owned_seats_that_are_free_or_whose_time_is_over_are_sellable(
    ownership: OwnershipStatus, status: SeatStatus
) -> None:
    owned = ownership == OwnershipStatus.OWNED

    assert is_sellable(ownership, status=status, held_until=SOON, now=NOW) == (owned and status == SeatStatus.AVAILABLE)
    for over in (NOW, JUST_NOW):
        expected = owned and status in {SeatStatus.AVAILABLE, SeatStatus.RESERVED}
        assert is_sellable(ownership, status=status, held_until=over, now=NOW) == expected


def test_a_reservation_without_an_end_never_ends() -> None:
    assert not is_sellable(OwnershipStatus.OWNED, status=SeatStatus.RESERVED, held_until=None, now=NOW)


def test_a_seat_is_bought_once() -> None:
    with pytest.raises(Refused, match="seat_already_owned"):
        OWNERSHIP.after(OwnershipStatus.OWNED, "take_ownership")


@pytest.mark.parametrize(
    ("stored", "end_at", "owned", "sold", "status"),
    [
        (EventStatus.DRAFT, SOON, 0, 0, EventStatus.DRAFT),
        (EventStatus.PUBLISHED, SOON, 3, 3, EventStatus.PUBLISHED),
        (EventStatus.ON_SALE, SOON, 0, 0, EventStatus.ON_SALE),
        (EventStatus.ON_SALE, SOON, 3, 2, EventStatus.ON_SALE),
        (EventStatus.ON_SALE, SOON, 3, 3, EventStatus.SOLD_OUT),
        (EventStatus.ON_SALE, NOW, 3, 3, EventStatus.COMPLETED),
        (EventStatus.PUBLISHED, JUST_NOW, 0, 0, EventStatus.COMPLETED),
    ],
)
def test_sold_out_and_completed_are_derived(
    stored: EventStatus, end_at: datetime, owned: int, sold: int, status: EventStatus
) -> None:
    assert event_status(stored, end_at=end_at, now=NOW, owned=owned, sold=sold) == status


def test_what_is_derived_is_never_stored() -> None:
    assert EVENT.check_sql("status") == "status IN ('DRAFT', 'PUBLISHED', 'ON_SALE')"


def test_staff_may_close_the_sales_of_a_sold_out_event_and_nothing_after_its_end() -> None:
    assert event_can(EventStatus.SOLD_OUT) == event_can(EventStatus.ON_SALE) == ("edit", "close_sales")
    assert event_can(EventStatus.COMPLETED) == ()


@pytest.mark.parametrize(
    ("stored", "end_at"), [(EventStatus.DRAFT, SOON), (EventStatus.PUBLISHED, SOON), (EventStatus.ON_SALE, NOW)]
)
def test_nothing_is_sold_before_sales_open_or_after_the_end(stored: EventStatus, end_at: datetime) -> None:
    with pytest.raises(Refused, match="not_on_sale"):
        check_on_sale(stored, end_at=end_at, now=NOW)


def test_an_open_sale_is_open() -> None:
    check_on_sale(EventStatus.ON_SALE, end_at=SOON, now=NOW)
