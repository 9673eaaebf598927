"""Trade without an engine: every step of buying and selling as its process would take it, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from activities import booking as selling
from activities import cancelling, ordering, payables, purchasing, receiving, reserving
from activities.booking import BookingActivities, SettleStep
from activities.cancelling import CancellationStep, CancellingActivities
from activities.delivery_notes import Note, SeatList
from activities.ordering import Draft, DraftLine, Price
from activities.payables import Payables, Paying
from activities.payments import CaptureStep, PaymentActivities, PaymentStep
from activities.purchasing import Answer, OrderStep, Purchasing
from activities.receiving import DeliveryStep, Receiving
from activities.refunds import RefundActivities, RefundStep, RefundWord
from db import access, customers, events, history, inventory, labels, places
from db import booking as bookings
from db.customers import CustomerFacts
from db.events import EventFacts
from db.ids import new_id
from db.places import VenueFacts
from db.transaction import Database, Tx
from domain.places import parse_seat_csv
from gateways.payments import PaymentProvider, ProviderState
from tests.makers.access import Agency

COST, PRICE = Decimal("20.00"), Decimal("35.00")


@dataclass(frozen=True, kw_only=True)
class Stock:
    """One delivery of one event: ten seats of Parkett unless said otherwise, in human order."""

    tenant_id: UUID
    event_id: UUID
    supplier_id: UUID
    order_id: UUID
    receipt_id: UUID
    bill_id: UUID
    seats: tuple[UUID, ...]


def a_stock(
    database: Database,
    agency: Agency,
    *,
    title: str = "Faust",
    supplier: str = "Theater AG",
    supplier_id: UUID | None = None,
    section: str = "Parkett",
    seats: int = 10,
    cost: Decimal = COST,
    price: Decimal = PRICE,
    starts_in: timedelta = timedelta(days=60),
    delivered_at: datetime | None = None,
) -> Stock:
    """An event on sale with seats owned, billed and in the books."""
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        event_id = _event(tx, title, section=section, seats=seats, starts_in=starts_in, currency=agency.currency)
        found = supplier_id or _supplier(tx, supplier)
        order_id = an_order(tx, event_id, found, seats=seats, cost=cost, price=price)
    confirmed(database, agency, order_id)
    receipt_id = delivered(database, agency, order_id, selectors=[f"{section}/A/*"], at=delivered_at)
    with database.transaction(agency.id) as tx:
        return Stock(
            tenant_id=agency.id,
            event_id=event_id,
            supplier_id=found,
            order_id=order_id,
            receipt_id=receipt_id,
            bill_id=tx.value("SELECT id FROM bills WHERE receipt_id = %s", (receipt_id,)),
            seats=tuple(tx.values("SELECT id FROM event_seats WHERE event_id = %s ORDER BY sort_key", (event_id,))),
        )


def _event(tx: Tx, title: str, *, section: str, seats: int, starts_in: timedelta, currency: str) -> UUID:
    venue_id = places.add(
        tx, VenueFacts(name="Stadthalle", venue_type="THEATER", timezone="Europe/Berlin", address=None)
    )
    lines = [f"{section},A,{number}" for number in range(1, seats + 1)]
    places.put_seats(tx, venue_id, parse_seat_csv("\n".join(["section,row,seat", *lines]).encode()))
    start = _now(tx) + starts_in
    facts = EventFacts(
        title=title,
        event_type="THEATER",
        venue_id=venue_id,
        start_at=start,
        end_at=start + timedelta(hours=3),
        timezone="Europe/Berlin",
        currency=currency,
        tax_rate=Decimal(0),
        description=None,
    )
    event_id = events.add(tx, facts)
    inventory.fill(tx, event_id, venue_id=venue_id)
    history.note(tx, object="event", subject_id=event_id, to_status="DRAFT")
    for before, after in (("DRAFT", "PUBLISHED"), ("PUBLISHED", "ON_SALE")):
        events.move(tx, event_id, status=after)
        history.note(tx, object="event", subject_id=event_id, from_status=before, to_status=after)
    return event_id


def _supplier(tx: Tx, name: str) -> UUID:
    supplier_id = new_id()
    tx.run(
        """INSERT INTO suppliers (tenant_id, id, name, supplier_type, payment_terms, email)
           VALUES (%s, %s, %s, 'VENUE_OWNER', 'NET_30', 'orders@theater.example')""",
        (tx.tenant_id, supplier_id, name),
    )
    labels.name(tx, object="supplier", subject_id=supplier_id, label=name)
    return supplier_id


def an_order(
    tx: Tx, event_id: UUID, supplier_id: UUID, *, seats: int, cost: Decimal = COST, price: Decimal = PRICE
) -> UUID:
    """A draft of one line."""
    currency = access.tenant(tx).currency
    line = DraftLine(
        event_id=event_id,
        description="Parkett",
        quantity=seats,
        unit_price=Price(amount=cost, currency=currency),
        retail_price=Price(amount=price, currency=currency),
        seats=(),
    )
    draft = Draft(
        supplier_id=supplier_id,
        fulfillment_method="PDF_DELIVERY",
        currency=None,
        payment_terms=None,
        expected_date=None,
        reference=None,
        notes=None,
        lines=[line],
    )
    return ordering.make(tx, draft)


def confirmed(database: Database, agency: Agency, order_id: UUID) -> None:
    """The order submitted, and confirmed in full by its supplier."""
    steps = Purchasing(database)
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        operation_id = purchasing.begin_submit(tx, order_id)
    steps.submit(OrderStep(tenant_id=agency.id, order_id=order_id, operation_id=operation_id))
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        answer = Answer(supplier_reference="AB-1", lines=())
        operation_id = purchasing.begin_confirm(tx, order_id, answer)
    steps.confirm(OrderStep(tenant_id=agency.id, order_id=order_id, operation_id=operation_id))


def delivered(
    database: Database,
    agency: Agency,
    order_id: UUID,
    *,
    selectors: Sequence[str],
    reference: str = "LS-1",
    at: datetime | None = None,
) -> UUID:
    """Seats of the order's only line taken in; the receipt's id."""
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        now = bookings.database_now(tx)
        line_id: UUID = tx.value("SELECT id FROM purchase_order_lines WHERE purchase_order_id = %s", (order_id,))
        lists = (SeatList(place="/lines/0", line_id=line_id, seats=tuple(selectors)),)
        note = Note(reference=reference, said_at=at, delivered_at=at or now, lists=lists)
        operation_id = receiving.begin_receive(tx, order_id, note)
    Receiving(database).record(DeliveryStep(tenant_id=agency.id, order_id=order_id, operation_id=operation_id))
    with database.transaction(agency.id) as tx:
        receipt_id: UUID = tx.value(
            "SELECT id FROM receipts WHERE purchase_order_id = %s AND delivery_reference = %s", (order_id, reference)
        )
    return receipt_id


def paid(database: Database, agency: Agency, order_id: UUID, *, amount: Decimal | None = None) -> None:
    """So much paid on the order, or all that is open."""
    paying = Paying(amount=amount, currency=agency.currency, method="BANK_TRANSFER", reference="SEPA-1", paid_at=None)
    with database.transaction(agency.id, actor=agency.finance.email) as tx:
        operation_id = payables.begin_pay_order(tx, order_id, paying)
    Payables(database).pay(payables.PaymentStep(tenant_id=agency.id, operation_id=operation_id))


def a_basket(
    database: Database, stock: Stock, seats: Sequence[UUID], *, window: timedelta = timedelta(minutes=15)
) -> UUID:
    """These seats reserved for a new customer; the booking's id."""
    with database.transaction(stock.tenant_id, actor="box office") as tx:
        facts = CustomerFacts(name="Erika Muster", email="erika@example.org", phone=None, customer_type="INDIVIDUAL")
        customer_id = customers.add(tx, facts)
        return reserving.reserve(
            tx, customer_id=customer_id, event_id=stock.event_id, seat_ids=seats, default_window=window
        ).booking_id


def a_payment(database: Database, tenant_id: UUID, booking_id: UUID, *, token: str = "tok_ok") -> UUID:
    """A payment on its way; its id."""
    with database.transaction(tenant_id, actor="box office") as tx:
        return selling.begin_payment(
            tx, booking_id, method="CREDIT_CARD", provider="simulated", token=token, grace=timedelta(minutes=2)
        )


def a_sale(
    database: Database, stock: Stock, seats: Sequence[UUID], *, provider: PaymentProvider, captured: bool = True
) -> UUID:
    """These seats sold, and the money captured unless said otherwise; the booking's id."""
    booking_id = a_basket(database, stock, seats)
    payment_id = a_payment(database, stock.tenant_id, booking_id)
    steps = PaymentActivities(database, provider)
    at = PaymentStep(tenant_id=stock.tenant_id, payment_id=payment_id)
    word = steps.authorise(at)
    BookingActivities(database).settle(SettleStep(tenant_id=stock.tenant_id, payment_id=payment_id, word=word))
    if captured:
        word = steps.capture(at)
        steps.record_capture(CaptureStep(tenant_id=stock.tenant_id, payment_id=payment_id, word=word))
    return booking_id


def a_cancellation(
    database: Database,
    tenant_id: UUID,
    booking_id: UUID,
    *,
    provider: PaymentProvider,
    tickets: int | None = None,
    settled: bool = True,
) -> None:
    """The first tickets of a booking (or all) given up, and the money sent back unless said otherwise."""
    with database.transaction(tenant_id, actor="box office") as tx:
        booking = bookings.take(tx, booking_id)
        held = [ticket.id for ticket in bookings.tickets(tx, booking_id) if ticket.status == "CONFIRMED"]
        chosen = None if tickets is None else held[:tickets]
        operation_id = cancelling.begin(tx, booking, ticket_ids=chosen, reason="CUSTOMER_REQUEST", quote_id=None)
    step = CancellationStep(tenant_id=tenant_id, cancellation_id=operation_id)
    refund_id = CancellingActivities(database).execute(step).refund_id
    if refund_id and settled:
        a_refund(database, tenant_id, refund_id, provider=provider)


def a_refund(database: Database, tenant_id: UUID, refund_id: UUID, *, provider: PaymentProvider) -> None:
    """A refund submitted, sent and settled."""
    steps = RefundActivities(database, provider)
    at = RefundStep(tenant_id=tenant_id, refund_id=refund_id)
    steps.submit(at)
    word = steps.send(at)
    assert word.state == ProviderState.REFUNDED, word
    steps.record(RefundWord(tenant_id=tenant_id, refund_id=refund_id, word=word))


def _now(tx: Tx) -> datetime:
    return bookings.database_now(tx)
