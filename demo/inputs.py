"""The files of examples/ as data: who supplies, what was ordered, delivered and paid, and who wants which seats."""

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ZONE = ZoneInfo("Europe/Berlin")
CURRENCY = "EUR"

Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What takes place where; its times are counted from the moment of the demo."""

    key: str
    venue: str
    over_after_sales: bool
    facts: Json
    minutes: int
    days_from_now: int
    starts_at: str
    minutes_from_now: int

    def times(self, now: datetime) -> tuple[datetime, datetime]:
        """Start and end in UTC."""
        start = now + timedelta(minutes=self.minutes_from_now)
        if self.starts_at:
            day = now.astimezone(ZONE).date() + timedelta(days=self.days_from_now)
            start = datetime.combine(day, time.fromisoformat(self.starts_at), ZONE).astimezone(UTC)
        return start, start + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Order:
    """A purchase order to place, and how many of each line (by number) the supplier confirms when it is not all."""

    key: str
    supplier: str
    expected_in_days: int | None
    confirmed: dict[int, int]
    supplier_reference: str | None
    facts: Json
    lines: list[Json]


@dataclass(frozen=True)
class Delivery:
    """A delivery note: what is to come of it is a number of seats, or a refusal's code."""

    order: str
    reference: str
    days_ago: int
    path: Path
    received: int
    refused: str
    again: bool
    about: str

    @property
    def is_csv(self) -> bool:
        """Whether the supplier's own file is passed on as it is."""
        return self.path.suffix == ".csv"

    def lines(self) -> list[Json]:
        """The note's lines as a client writes them, with `line` numbers where the API wants ids."""
        text = self.path.read_text("utf-8")
        return json.loads(text)["lines"] if self.path.suffix == ".json" else read_note(text)


@dataclass(frozen=True)
class SupplierPayment:
    """Money for an order, or for the bill that came of a delivery; without an amount all that is open."""

    order: str
    bill_of: str
    amount: Decimal | None
    before_delivery: bool
    method: str
    reference: str
    days_ago: int


@dataclass(frozen=True)
class Price:
    """A line of the price list."""

    event: str
    selector: str
    retail_price: Decimal


@dataclass(frozen=True)
class Basket:
    """What a customer wants, the card that is shown first, and what becomes of it."""

    number: str
    customer: str
    event: str
    seats: int
    card: str
    story: str
    takes_over: str


@dataclass(frozen=True)
class Inputs:
    """All of a month."""

    venues: list[Json]
    suppliers: list[Json]
    events: list[Event]
    orders: list[Order]
    deliveries: list[Delivery]
    cancelled_orders: list[Json]
    payments: list[SupplierPayment]
    prices: list[Price]
    customers: list[Json]
    baskets: list[Basket]


def money(amount: Decimal | str) -> Json:
    """Money as the API writes it."""
    return {"amount": str(amount), "currency": CURRENCY}


def load(folder: Path = EXAMPLES) -> Inputs:
    """Everything, read once."""
    return Inputs(
        venues=[{**one, "file": folder / one["seats"]} for one in _json(folder / "venues.json")],
        suppliers=_json(folder / "suppliers.json"),
        events=[_event(one) for one in _json(folder / "events.json")],
        orders=[_order(one) for one in _json(folder / "orders.json")],
        deliveries=[_delivery(one, folder) for one in _json(folder / "deliveries.json")],
        cancelled_orders=_json(folder / "cancelled_orders.json"),
        payments=[_payment(one) for one in _json(folder / "supplier_payments.json")],
        prices=[
            Price(line["event"], line["selector"], Decimal(line["retail_price"].replace(",", ".")))
            for line in _table(folder / "price_list.csv", separator=";")
        ],
        customers=[dict(line) for line in _table(folder / "customers.csv")],
        baskets=[_basket(line) for line in _table(folder / "bookings.csv")],
    )


def read_note(text: str) -> list[Json]:
    """A note in plain text: `Pos. 1` begins a line of the order, every word group with two strokes is a selector."""
    lines: list[Json] = []
    for words in text.splitlines():
        position = re.match(r"\s*Pos\.\s*(\d+)", words)
        if position:
            lines.append({"line": int(position[1]), "seats": []})
        elif lines and words.count("/") == 2:  # noqa: PLR2004 -- section/row/seat
            lines[-1]["seats"].append(words.strip())
    return lines


def _json(path: Path) -> list[Json]:
    found: list[Json] = json.loads(path.read_text("utf-8"))
    return found


def _table(path: Path, *, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig")), delimiter=separator))


def _event(one: Json) -> Event:
    return Event(
        key=one["key"],
        venue=one["venue"],
        over_after_sales=one.get("over_after_sales", False),
        facts={name: one[name] for name in ("title", "event_type", "description") if name in one},
        minutes=one["minutes"],
        days_from_now=one.get("days_from_now", 0),
        starts_at=one.get("starts_at", ""),
        minutes_from_now=one.get("minutes_from_now", 0),
    )


def _order(one: Json) -> Order:
    said = ("fulfillment_method", "payment_terms", "reference", "notes")
    return Order(
        key=one["key"],
        supplier=one["supplier"],
        expected_in_days=one.get("expected_in_days"),
        confirmed={int(number): quantity for number, quantity in one.get("confirmed", {}).items()},
        supplier_reference=one.get("supplier_reference"),
        facts={name: one[name] for name in said if name in one},
        lines=one["lines"],
    )


def _delivery(one: Json, folder: Path) -> Delivery:
    return Delivery(
        order=one["order"],
        reference=one["reference"],
        days_ago=one["days_ago"],
        path=folder / one["file"],
        received=one.get("received", 0),
        refused=one.get("refused", ""),
        again=one.get("again", False),
        about=one["about"],
    )


def _payment(one: Json) -> SupplierPayment:
    return SupplierPayment(
        order=one.get("order", ""),
        bill_of=one.get("bill_of", ""),
        amount=Decimal(one["amount"]) if "amount" in one else None,
        before_delivery=one.get("before_delivery", False),
        method=one["method"],
        reference=one["reference"],
        days_ago=one["days_ago"],
    )


def _basket(line: dict[str, str]) -> Basket:
    return Basket(**{**line, "seats": int(line["seats"])})  # type: ignore[arg-type] # a CSV line's cells are text
