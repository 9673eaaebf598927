"""How bookings, their tickets, payments and refunds look in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from activities.reserving import Reservation
from api.shapes import Instant, MoneyShape, Shape
from db.booking import Booking, Ticket
from db.payments import Payment
from db.refunds import Refund
from domain import booking as rules
from domain.booking import BookingStatus, PaymentStatus
from domain.money import Money

SHOWN_CODE = ("CONFIRMED", "TRANSFERRED", "USED")


class TicketShape(Shape):
    """One admission; the barcode is shown once the ticket is CONFIRMED."""

    id: UUID
    object: str = "ticket"
    ticket_number: str
    booking_id: UUID
    event_id: UUID
    event_seat_id: UUID
    status: str
    section: str
    row: str
    seat_number: str
    price: MoneyShape
    barcode: str | None = None
    confirmed_at: Instant | None = None
    cancelled_at: Instant | None = None

    @classmethod
    def of(cls, ticket: Ticket, currency: str) -> TicketShape:
        """From its row."""
        return cls(
            id=ticket.id,
            ticket_number=ticket.ticket_number,
            booking_id=ticket.booking_id,
            event_id=ticket.event_id,
            event_seat_id=ticket.event_seat_id,
            status=ticket.status,
            section=ticket.section,
            row=ticket.row_label,
            seat_number=ticket.seat_number,
            price=MoneyShape.of(ticket.price, currency),
            barcode=ticket.barcode if ticket.status in SHOWN_CODE else None,
            confirmed_at=ticket.confirmed_at,
            cancelled_at=ticket.cancelled_at,
        )


class BookingShape(Shape):
    """A booking; amounts are for the tickets it still has."""

    id: UUID
    object: str = "booking"
    booking_number: str
    event_id: UUID
    customer_id: UUID
    status: str
    payment_status: str
    cancellation_reason: str | None = None
    reserved_until: Instant
    ticket_count: int
    subtotal: MoneyShape
    discount_amount: MoneyShape
    service_fee: MoneyShape
    tax_amount: MoneyShape
    cancellation_charge: MoneyShape
    total_amount: MoneyShape
    paid: MoneyShape
    refunded: MoneyShape
    created_at: Instant
    confirmed_at: Instant | None = None
    cancelled_at: Instant | None = None
    can: list[str]
    tickets: list[TicketShape] | None = Field(default=None, description="Left out of lists")

    @classmethod
    def of(cls, booking: Booking, tickets: Sequence[Ticket] | None) -> BookingShape:
        """From its rows."""

        def money(amount: Decimal) -> MoneyShape:
            return MoneyShape.of(amount, booking.currency)

        return cls(
            id=booking.id,
            booking_number=booking.booking_number,
            event_id=booking.event_id,
            customer_id=booking.customer_id,
            status=booking.status,
            payment_status=booking.payment_status,
            cancellation_reason=booking.cancellation_reason,
            reserved_until=booking.reserved_until,
            ticket_count=booking.ticket_count,
            subtotal=money(booking.subtotal),
            discount_amount=money(booking.discount_amount),
            service_fee=money(booking.service_fee),
            tax_amount=money(booking.tax_amount),
            cancellation_charge=money(booking.cancellation_charge),
            total_amount=money(booking.total_amount),
            paid=money(booking.paid),
            refunded=money(booking.refunded),
            created_at=booking.created_at,
            confirmed_at=booking.confirmed_at,
            cancelled_at=booking.cancelled_at,
            can=_can(booking.status, booking.payment_status, in_time=booking.in_time),
            tickets=[TicketShape.of(ticket, booking.currency) for ticket in tickets] if tickets is not None else None,
        )

    @classmethod
    def just_reserved(cls, reservation: Reservation, *, customer_id: UUID, event_id: UUID) -> BookingShape:
        """The answer to a reservation, made of what the two round trips brought."""
        currency, priced = reservation.currency, reservation.priced
        nothing = MoneyShape.of(priced.subtotal.amount - priced.subtotal.amount, currency)
        return cls(
            id=reservation.booking_id,
            booking_number=reservation.booking_number,
            event_id=event_id,
            customer_id=customer_id,
            status=BookingStatus.RESERVED,
            payment_status=PaymentStatus.PENDING,
            reserved_until=reservation.reserved_until,
            ticket_count=len(reservation.seats),
            subtotal=MoneyShape.of(priced.subtotal.amount, currency),
            discount_amount=MoneyShape.of(priced.discount.amount, currency),
            service_fee=MoneyShape.of(priced.service_fee.amount, currency),
            tax_amount=MoneyShape.of(priced.tax_amount.amount, currency),
            cancellation_charge=nothing,
            total_amount=MoneyShape.of(priced.total.amount, currency),
            paid=nothing,
            refunded=nothing,
            created_at=reservation.created_at,
            can=_can(BookingStatus.RESERVED, PaymentStatus.PENDING, in_time=True),
            tickets=[
                TicketShape(
                    id=seat.ticket_id,
                    ticket_number=seat.ticket_number,
                    booking_id=reservation.booking_id,
                    event_id=event_id,
                    event_seat_id=seat.event_seat_id,
                    status="RESERVED",
                    section=seat.section,
                    row=seat.row_label,
                    seat_number=seat.seat_number,
                    price=MoneyShape.of(seat.price, currency),
                )
                for seat in reservation.seats
            ],
        )


def _can(status: str, payment: str, *, in_time: bool) -> list[str]:
    return list(rules.can(BookingStatus(status), payment=PaymentStatus(payment), in_time=in_time))


class SummaryShape(Shape):
    """A booking's money on one page."""

    booking_id: UUID
    booking_number: str
    status: str
    payment_status: str
    ticket_count: int
    subtotal: MoneyShape
    discount_amount: MoneyShape
    service_fee: MoneyShape
    tax_amount: MoneyShape
    cancellation_charge: MoneyShape
    total_amount: MoneyShape
    paid: MoneyShape
    refunded: MoneyShape
    refunds_pending: MoneyShape
    balance: MoneyShape


class PaymentShape(Shape):
    """One try to pay a booking."""

    id: UUID
    object: str = "payment"
    booking_id: UUID
    amount: MoneyShape
    status: str
    method: str
    provider: str
    provider_transaction_id: str | None
    failure_reason: str | None
    refunded_amount: MoneyShape
    created_at: Instant
    captured_at: Instant | None

    @classmethod
    def of(cls, payment: Payment) -> PaymentShape:
        """From its row."""
        return cls(
            id=payment.id,
            booking_id=payment.booking_id,
            amount=MoneyShape.of(payment.amount, payment.currency),
            status=_payment_status(payment),
            method=payment.method,
            provider=payment.provider,
            provider_transaction_id=payment.provider_transaction_id,
            failure_reason=payment.failure_reason,
            refunded_amount=MoneyShape.of(payment.refunded_amount, payment.currency),
            created_at=payment.created_at,
            captured_at=payment.captured_at,
        )


def _payment_status(payment: Payment) -> str:
    """Its own, or what has gone back of it since."""
    if payment.status != PaymentStatus.COMPLETED:
        return payment.status
    paid, refunded = Money(payment.amount, payment.currency), Money(payment.refunded_amount, payment.currency)
    return rules.payment_after_refund(paid, refunded=refunded)


class RefundShape(Shape):
    """One attempt to send money back."""

    id: UUID
    object: str = "refund"
    refund_number: str
    booking_id: UUID
    payment_id: UUID
    attempt: int
    amount: MoneyShape
    status: str
    reason: str
    provider_refund_id: str | None
    failure_reason: str | None
    created_at: Instant
    ended_at: Instant | None

    @classmethod
    def of(cls, refund: Refund) -> RefundShape:
        """From its row."""
        return cls(
            id=refund.id,
            refund_number=refund.refund_number,
            booking_id=refund.booking_id,
            payment_id=refund.payment_id,
            attempt=refund.attempt,
            amount=MoneyShape.of(refund.amount, refund.currency),
            status=refund.status,
            reason=refund.reason,
            provider_refund_id=refund.provider_refund_id,
            failure_reason=refund.failure_reason,
            created_at=refund.created_at,
            ended_at=refund.ended_at,
        )


class QuoteLineShape(Shape):
    """What giving up one ticket brings back, and why so much."""

    ticket_id: UUID
    price: MoneyShape
    refund: MoneyShape
    reason: str


class QuoteShape(Shape):
    """A cancellation's numbers; with its `quote_id` they are what will be executed, or the call is refused."""

    quote_id: UUID | None
    expires_at: Instant
    lines: list[QuoteLineShape]
    fee_refund: MoneyShape
    refund_total: MoneyShape
    balance_after: MoneyShape
