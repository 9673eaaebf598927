"""Papers as a real month would make them, and the names that people with bad intentions type in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from domain.money import Money, ratio
from domain.profit import TOTAL, ProfitRow
from domain.profit import Report as Found
from domain.selectors import SeatName
from reports import books
from reports.papers import (
    BookedSeat,
    Booking,
    Event,
    Issuer,
    OrderLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Supplier,
    Ticket,
)
from reports.tables import Report

BERLIN = "Europe/Berlin"
BARCODE = "7QK4M2XW9RTCVH0D3BFGJ81SNZT"
AS_OF = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)

HOSTILE = (
    "<img src=file:///etc/passwd>",
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://evil.example","refund")',
    "</title><script>alert(1)</script>",
    "שלום עולם مرحبا",
    "Show \U0001f3ad\U0001f469\u200d\U0001f3a4 night",
    "over\u202eride\x07\x00bell",
    "Eine sehr lange Festvorstellung " * 6 + "Schluss",
    "Donaudampfschifffahrtsgesellschaft" * 6,
)


def euro(amount: str) -> Money:
    return Money.of(amount, "EUR")


NORTHSIDE = Issuer(
    name="Northside Tickets",
    currency="EUR",
    timezone=BERLIN,
    locale="en_DE",
    address=("Lindenstraße 14", "10969 Berlin"),
    tax_id="DE 312 456 789",
    email="orders@northside.example",
)
HARBOUR = Issuer(name="Harbour Tickets", currency="USD", timezone="America/New_York", locale="en_US")
MUELLER = Supplier(
    name="Konzertdirektion Müller & Söhne GmbH",
    email="vertrieb@mueller.example",
    contact_person="Annegret Öztürk",
    tax_id="DE 811 204 377",
    address=("Am Stadthafen 3", "18055 Rostock"),
)
OPERA = Event(
    title="Die Zauberflöte",
    starts_at=datetime(2027, 1, 16, 18, 30, tzinfo=UTC),
    timezone=BERLIN,
    venue="Stadthalle, Großer Saal",
    address="Südring 90, 18059 Rostock",
)


def an_order(*, lines: int = 3, event: Event = OPERA, issuer: Issuer = NORTHSIDE) -> PurchaseOrder:
    return PurchaseOrder(
        issuer=issuer,
        supplier=MUELLER,
        number="PO-2026-00042",
        issued_at=datetime(2026, 11, 3, 9, 12, tzinfo=UTC),
        payment_terms="NET_30",
        fulfillment_method="PDF_DELIVERY",
        lines=tuple(
            OrderLine(number, event, "Parkett, rows A to K", 650, Decimal("28.3333"), euro("18416.65"))
            for number in range(1, lines + 1)
        ),
        total=euro("18416.65").times(lines),
        expected_date=date(2026, 12, 4),
        notes="Please deliver in the order of the events.",
        authorised_by="Ines Albrecht",
    )


def hall(count: int, *, step: int = 1) -> tuple[SeatName, ...]:
    """That many seats, 25 to a row and 12 rows to a section; with a `step` of 2 no two are neighbours."""
    return tuple((f"Block {at // 300 + 1}", str(at // 25 % 12 + 1), str(at % 25 * step + 1)) for at in range(count))


def a_receipt(*, seats: tuple[SeatName, ...] = hall(40), event: Event = OPERA) -> Receipt:
    line = ReceiptLine(
        number=1,
        event=event,
        description="Parkett, rows A to K",
        ordered=len(seats) + 30,
        received_before=10,
        open=20,
        unit_price=Decimal("28.3333"),
        amount=euro("42499.95"),
        seats=seats,
    )
    return Receipt(
        issuer=NORTHSIDE,
        supplier=MUELLER,
        number="GRN-2026-00007",
        order_number="PO-2026-00042",
        delivery_reference="LS-88231",
        delivered_at=datetime(2026, 11, 12, 13, 5, tzinfo=UTC),
        received_by="Ines Albrecht",
        fulfillment_method="ELECTRONIC_TRANSFER",
        lines=(line,),
        total=euro("42499.95"),
    )


def a_ticket(*, number: str = "TK-2026-01180", seat: str = "12A", event: Event = OPERA) -> Ticket:
    return Ticket(
        issuer=NORTHSIDE,
        number=number,
        booking_number="BK-2026-00311",
        event=event,
        section="Parkett",
        row="C",
        seat=seat,
        holder="Ada Grønnegård",
        price=euro("69.00"),
        barcode=BARCODE,
    )


def a_booking(*, event: Event = OPERA, customer: str = "Ada Grønnegård") -> Booking:
    seats = tuple(BookedSeat(f"TK-2026-0118{at}", "Parkett", "C", str(11 + at), euro("69.00")) for at in range(2))
    return Booking(
        issuer=NORTHSIDE,
        number="BK-2026-00311",
        customer=customer,
        event=event,
        seats=seats,
        subtotal=euro("138.00"),
        service_fee=euro("13.80"),
        total=euro("151.80"),
    )


def a_profit_report(*, rows: int = 3, label: str = "Die Zauberflöte") -> Report:
    found = tuple(
        _profit_row(f"event-{at}", f"{label} {at}", sold=at * 10, price=60 if at % 2 else 40) for at in range(rows)
    )
    totals = _profit_row(None, TOTAL, sold=sum(row.tickets_sold for row in found), price=50)
    scope = books.Scope(as_of=AS_OF, currency="EUR", parameters=(("From", "1 October 2026"),))
    return books.profit(Found(found, totals), group_by="event", scope=scope)


def _profit_row(key: str | None, label: str, *, sold: int, price: int) -> ProfitRow:
    """Everything costs 50, so a price of 40 makes a loss and a price of 60 a gain."""
    gross, cost, nothing = euro(str(sold * price)), euro(str(sold * 50)), euro("0")
    margin, markup = ratio((gross - cost).amount, gross.amount), ratio((gross - cost).amount, cost.amount)
    return ProfitRow(
        key=key,
        label=label,
        tickets_sold=sold,
        tickets_refunded=0,
        gross_sales=gross,
        discounts=nothing,
        refunds=nothing,
        net_revenue=gross,
        fees=gross.times(Decimal("0.1")),
        cancellation_income=nothing,
        cost_of_sales=cost,
        gross_profit=gross - cost,
        margin=None if margin is None else str(margin),
        markup=None if markup is None else str(markup),
        unsold_seats=7,
        unsold_cost=euro("350"),
        written_off_seats=0,
        written_off_cost=nothing,
        provider_fees=nothing,
        contribution=gross - cost + gross.times(Decimal("0.1")),
    )


def called(title: str) -> Event:
    """An event whose every name is `title`."""
    return replace(OPERA, title=title, venue=title, address=title)
