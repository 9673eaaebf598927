"""Rows of the processes: paying beside the bare engine, and how little of a booking and of an order the engine keeps."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from bench import bare
from bench.counter import Rush, Sale, quiet, rush
from bench.histories import abandoned_events, order_events, paid_events
from bench.row import Figure, Group, Judged, Row, median
from demo.caller import Caller
from stand.agency import PASSWORD, Agency, create
from stand.plan import Plan
from stand.running import Stand, a_stand

RUNS, CALLERS, BOOKINGS, WARMING, SEATS = 3, 16, 400, 100, 4


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The whole house on the real engine, an agency in it, and an event whose seats go on sale."""

    stand: Stand
    agency: Agency
    sale: Sale


@contextmanager
def a_house() -> Iterator[Ground]:
    """As it runs for an agency: one API, one worker of each kind, everything on one Postgres."""
    with a_stand(Plan(engine="cluster")) as stand, httpx2.Client(base_url=stand.api_urls[0], timeout=120) as http:
        owner = create(stand.addresses.app_database_url)
        agency = Agency(Caller(http).as_person(email=owner, password=PASSWORD))
        yield Ground(stand=stand, agency=agency, sale=a_sale(stand, agency, bookings=RUNS * BOOKINGS + WARMING))


def a_sale(stand: Stand, agency: Agency, *, bookings: int) -> Sale:
    """An event with baskets of four seats for so many bookings."""
    event_id = agency.on_sale(seats=bookings * SEATS)
    seats = iter(agency.seats(event_id))
    return Sale(
        api_url=stand.api_urls[0],
        database_url=stand.addresses.database_url,
        headers=dict(agency.caller.headers),
        event_id=event_id,
        customer_id=agency.customer(),
        baskets=iter([tuple(itertools.islice(seats, SEATS)) for _ in range(bookings)]),
    )


def paid_booking(ground: Ground) -> Figure:
    """Ours and the bare engine's in turn, on the same server, by as many callers."""
    address = ground.stand.addresses.temporal_address
    with bare.a_worker(address):
        asyncio.run(bare.paid_per_second(address, callers=CALLERS, bookings=WARMING))
        rush(ground.sale, callers=CALLERS, bookings=WARMING)
        return median([_in_turn(ground, address) for _ in range(RUNS)])


def _in_turn(ground: Ground, address: str) -> Figure:
    quiet(ground.sale)
    anchor = asyncio.run(bare.paid_per_second(address, callers=CALLERS, bookings=BOOKINGS))
    ours: Rush = rush(ground.sale, callers=CALLERS, bookings=BOOKINGS)
    notes = {"callers": float(CALLERS), "sold_after_ms": ours.median_ms, "sold_after_p99_ms": ours.p99_ms}
    return Figure(value=ours.per_second, anchor=anchor, notes=notes)


GROUPS: tuple[Group, ...] = (
    Group(
        ground=a_house,
        rows=(
            Row(
                name="paid_booking",
                sentence="Bookings of four seats reserved and paid over HTTP, by callers who each see theirs CONFIRMED "
                "before the next; the clock stops when the last payment's process is over.",
                unit="bookings/s",
                anchor="as many callers starting and paying processes of the same shape with empty steps, on the same engine",
                judged=Judged.RATIO_HIGH,
                floor=0.5,
                target=0.8,
                measure=paid_booking,
                short="a booking's three transactions in PostgreSQL, and the process that prints its papers, which the anchor "
                "has not (docs/decisions/0012).",
            ),
            Row(
                name="events_paid",
                sentence="Events that the engine keeps of a paid booking.",
                unit="events",
                anchor="none, it is a count",
                judged=Judged.VALUE_LOW,
                floor=26,
                target=18,
                measure=lambda ground: Figure(value=paid_events(ground.stand, ground.agency)),
            ),
            Row(
                name="events_abandoned",
                sentence="Events that the engine keeps of a basket that nobody paid.",
                unit="events",
                anchor="none, it is a count",
                judged=Judged.VALUE_LOW,
                floor=14,
                target=6,
                measure=lambda ground: Figure(value=abandoned_events(ground.stand, ground.agency)),
            ),
            Row(
                name="events_order",
                sentence="Events, those of the deliveries' processes included, that an order of 50,000 seats has more than "
                "one of 1,000, for every 5,000 seats; each came in one delivery.",
                unit="events",
                anchor="itself with 1,000 seats",
                judged=Judged.VALUE_LOW,
                floor=2,
                target=2,
                measure=lambda ground: order_events(ground.stand, ground.agency),
            ),
        ),
    ),
)
