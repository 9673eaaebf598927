"""What each paper says: frozen facts handed over by a query, complete, in human order, with nothing left to look up."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.money import Money
from domain.selectors import SeatName
from reports.words import Words


@dataclass(frozen=True)
class Issuer:
    """The agency whose name is on the paper. `locale` is a CLDR name with English words (`words.locale_for`)."""

    name: str
    currency: str
    timezone: str
    locale: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""

    @property
    def words(self) -> Words:
        """How this agency writes money, numbers and dates."""
        return Words(locale=self.locale, timezone=self.timezone, currency=self.currency)


@dataclass(frozen=True)
class Supplier:
    """The other side of an order or a delivery."""

    name: str
    email: str = ""
    contact_person: str = ""
    tax_id: str = ""
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """What the seats are for, at an instant, told in the venue's own `timezone`."""

    title: str
    starts_at: datetime
    timezone: str
    venue: str
    address: str = ""


@dataclass(frozen=True)
class OrderLine:
    """One event, one kind of seat, one unit cost (up to 4 decimals, in the order's currency)."""

    number: int
    event: Event
    description: str
    quantity: int
    unit_price: Decimal
    total: Money


@dataclass(frozen=True)
class PurchaseOrder:
    """An order as the supplier gets it (ux.md section 7, row 1). `mark` is stamped across: DRAFT, CANCELLED or nothing."""

    issuer: Issuer
    supplier: Supplier
    number: str
    issued_at: datetime
    payment_terms: str
    fulfillment_method: str
    lines: tuple[OrderLine, ...]
    total: Money
    expected_date: date | None = None
    reference: str = ""
    notes: str = ""
    authorised_by: str = ""
    mark: str = ""


@dataclass(frozen=True)
class ReceiptLine:
    """One order line in one delivery: counts are seats; `seats` are this delivery's."""

    number: int
    event: Event
    description: str
    ordered: int
    received_before: int
    open: int
    unit_price: Decimal
    amount: Money
    seats: tuple[SeatName, ...]

    @property
    def delivered(self) -> int:
        """How many seats this delivery brought."""
        return len(self.seats)


@dataclass(frozen=True)
class Receipt:
    """A delivery as it was taken in, never changed afterwards (ux.md section 7, row 2)."""

    issuer: Issuer
    supplier: Supplier
    number: str
    order_number: str
    delivery_reference: str
    delivered_at: datetime
    received_by: str
    fulfillment_method: str
    lines: tuple[ReceiptLine, ...]
    total: Money
    supplier_reference: str = ""
    mark: str = ""

    @property
    def seat_count(self) -> int:
        """How many seats the whole delivery brought."""
        return sum(line.delivered for line in self.lines)


@dataclass(frozen=True)
class Ticket:
    """One admission (ux.md section 7, row 6). Only a CONFIRMED ticket may be made into one: the code is live."""

    issuer: Issuer
    number: str
    booking_number: str
    event: Event
    section: str
    row: str
    seat: str
    holder: str
    price: Money | None
    barcode: str
    seat_type: str = ""


@dataclass(frozen=True)
class BookedSeat:
    """A ticket as a mail lists it."""

    ticket_number: str
    section: str
    row: str
    seat: str
    price: Money


@dataclass(frozen=True)
class Booking:
    """A booking as a mail tells it. `seats` are those the mail is about: all, or the cancelled ones."""

    issuer: Issuer
    number: str
    customer: str
    event: Event
    seats: tuple[BookedSeat, ...]
    subtotal: Money
    service_fee: Money
    total: Money
    discount: Money | None = None
    tax: Money | None = None
