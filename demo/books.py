"""The books as the reports give them, and the same again from the lists of seats, tickets, bills and receipts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from demo.caller import Json
from demo.month import Month

ZERO = Decimal("0.00")
READERS = 8

Sums = Mapping[str, Decimal]


def amount(money: Json) -> Decimal:
    """Money as the API writes it, as a number."""
    return Decimal(money["amount"])


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with cents even when there is nothing to add."""
    return sum(amounts, ZERO)


@dataclass(frozen=True)
class Reports:
    """What finance sees, all of it as of one moment: the journal's side of every comparison."""

    as_of: str
    trial_balance: Json
    profit: Mapping[str, Json]
    """By what makes a row: event, supplier, section."""
    value: Json

    def balance(self, code: str) -> Decimal:
        """An account's balance, debit positive; nothing where it was never used."""
        return total(amount(row["balance"]) for row in self.trial_balance["rows"] if row["code"] == code)


@dataclass(frozen=True)
class Lists:
    """What everybody sees elsewhere: the other side of every comparison."""

    seats: Sequence[Json]
    """Every owned seat of every event."""
    over: frozenset[str]
    """Ids of events whose unsold seats are worth nothing any more."""
    bookings: Sequence[Json]
    """Each with its tickets."""
    orders: Sequence[Json]
    receipts: Sequence[Json]
    bills: Sequence[Json]

    @cached_property
    def sold(self) -> list[Json]:
        """Bookings that were confirmed, and whose money was not refused afterwards."""
        return [one for one in self.bookings if was_sold(one)]

    @cached_property
    def sold_seats(self) -> list[Json]:
        """Seats somebody has a ticket for."""
        return [seat for seat in self.seats if seat["status"] == "SOLD"]

    @cached_property
    def stock(self) -> list[Json]:
        """Seats that may still be sold, or wait to be."""
        return [seat for seat in self.seats if seat["status"] != "SOLD" and seat["event_id"] not in self.over]

    @cached_property
    def written_off(self) -> list[Json]:
        """Seats nobody bought before it was over."""
        return [seat for seat in self.seats if seat["status"] != "SOLD" and seat["event_id"] in self.over]

    def tickets(self, *statuses: str) -> list[Json]:
        """Tickets of sold bookings."""
        return [ticket for one in self.sold for ticket in one["tickets"] if ticket["status"] in statuses]


def was_sold(booking: Json) -> bool:
    """A booking given back was sold once; one that ran out or could not be paid never was."""
    given_back = booking["status"] in ("CANCELLED", "REFUNDED") and booking["cancellation_reason"] == "CUSTOMER_REQUEST"
    return booking["status"] == "CONFIRMED" or (given_back and amount(booking["paid"]) > 0)


def costs(seats: Iterable[Json]) -> Decimal:
    """What seats cost."""
    return total(amount(seat["cost"]) for seat in seats)


def prices(tickets: Iterable[Json]) -> Decimal:
    """What tickets cost their buyers, before the fee."""
    return total(amount(ticket["price"]) for ticket in tickets)


def grouped(things: Iterable[Json], by: str, figure: str) -> Sums:
    """Sums of a money field by another field."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for thing in things:
        sums[thing[by]] += amount(thing[figure])
    return sums


def read_reports(month: Month) -> Reports:
    """Every report at the same moment, which is the first one's."""
    by_event = month.finance.get("/api/sales/reports/profit")
    as_of = by_event["as_of"]

    def profit(group_by: str) -> Json:
        report: Json = month.finance.get("/api/sales/reports/profit", group_by=group_by, as_of=as_of)
        return report

    return Reports(
        as_of=as_of,
        trial_balance=month.finance.get("/api/ledger/trial-balance", as_of=as_of),
        profit={"event": by_event, "supplier": profit("supplier"), "section": profit("section")},
        value=month.finance.get("/api/inventory/reports/value", as_of=as_of),
    )


def read_lists(month: Month) -> Lists:
    """Everything once more from where people look at single things."""
    listed = month.boxoffice.everything("/api/bookings")
    ours = {booking["id"] for booking in month.bookings.values()}
    with ThreadPoolExecutor(READERS) as pool:
        bookings = pool.map(lambda one: month.boxoffice.get(f"/api/bookings/{one['id']}"), listed)
        orders = pool.map(lambda one: month.buyer.get(f"/api/purchase-orders/{one}"), month.orders.values())
        receipts = pool.map(
            lambda one: month.buyer.get(f"/api/receipts/{one['id']}"), month.buyer.everything("/api/receipts")
        )
        seats = pool.map(lambda key: _seats(month, key), month.events)
        return Lists(
            seats=[seat for found in seats for seat in found],
            over=frozenset(month.events[event.key] for event in month.inputs.events if event.over_after_sales),
            bookings=[one for one in bookings if one["id"] in ours],
            orders=list(orders),
            receipts=list(receipts),
            bills=month.finance.everything("/api/accounts-payable"),
        )


def _seats(month: Month, event: str) -> list[Json]:
    event_id = month.events[event]
    found = month.buyer.everything(f"/api/inventory/events/{event_id}/seats", ownership_status="OWNED")
    return [{**seat, "event_id": event_id} for seat in found]
