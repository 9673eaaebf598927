"""Bookings: what may happen to a booking, its tickets and its payment, and what a basket of seats costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.money import Money, round_money, split
from domain.states import Machine, Refused


class BookingStatus(StrEnum):
    """A booking as a whole."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class TicketStatus(StrEnum):
    """One admission."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    TRANSFERRED = "TRANSFERRED"
    USED = "USED"
    CANCELLED = "CANCELLED"


class PaymentStatus(StrEnum):
    """A payment, and the payment axis of a booking; a payment itself is PROCESSING, COMPLETED or FAILED."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class Reason(StrEnum):
    """Why a booking ended."""

    EXPIRED = "EXPIRED"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    EVENT_CANCELLED = "EVENT_CANCELLED"
    DUPLICATE = "DUPLICATE"
    FRAUD = "FRAUD"
    PAYMENT_FAILED = "PAYMENT_FAILED"


# The reasons that people may give; the other two are the clock's and the provider's.
GIVEN_REASONS = (Reason.CUSTOMER_REQUEST, Reason.EVENT_CANCELLED, Reason.DUPLICATE, Reason.FRAUD)

BOOKING = Machine[BookingStatus](
    "booking",
    {
        BookingStatus.RESERVED: {
            "pay": BookingStatus.RESERVED,
            "confirm": BookingStatus.CONFIRMED,
            "expire": BookingStatus.CANCELLED,
            "release": BookingStatus.CANCELLED,
        },
        # A capture finally refused reverses the sale; a cancellation of some tickets keeps the booking.
        BookingStatus.CONFIRMED: {
            "cancel": (BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.REFUNDED),
            "reverse": BookingStatus.CANCELLED,
        },
        # Only after EXPIRED and only by late money: see retake.
        BookingStatus.CANCELLED: {"retake": BookingStatus.CONFIRMED},
        BookingStatus.REFUNDED: {},
    },
)

TICKET = Machine[TicketStatus](
    "ticket",
    {
        TicketStatus.RESERVED: {"confirm": TicketStatus.CONFIRMED, "cancel": TicketStatus.CANCELLED},
        TicketStatus.CONFIRMED: {
            "cancel": TicketStatus.CANCELLED,
            "transfer": TicketStatus.TRANSFERRED,
            "use": TicketStatus.USED,
        },
        TicketStatus.TRANSFERRED: {},
        TicketStatus.USED: {},
        # Late money found the seat still free.
        TicketStatus.CANCELLED: {"retake": TicketStatus.CONFIRMED},
    },
)

PAYMENT = Machine[PaymentStatus](
    "payment",
    {
        PaymentStatus.PROCESSING: {"complete": PaymentStatus.COMPLETED, "fail": PaymentStatus.FAILED},
        PaymentStatus.COMPLETED: {},
        # The provider captured after it had told us no.
        PaymentStatus.FAILED: {"complete": PaymentStatus.COMPLETED},
    },
)

_REFUND_ENDS = (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)

# The booking's payment axis.
BOOKING_PAYMENT = Machine[PaymentStatus](
    "booking's payment",
    {
        PaymentStatus.PENDING: {"pay": PaymentStatus.PROCESSING, "complete": PaymentStatus.COMPLETED},
        # A declined card leaves the booking as it was; a capture finally refused ends it.
        PaymentStatus.PROCESSING: {
            "complete": PaymentStatus.COMPLETED,
            "decline": PaymentStatus.PENDING,
            "fail": PaymentStatus.FAILED,
        },
        PaymentStatus.COMPLETED: {"refund": _REFUND_ENDS, "fail": PaymentStatus.FAILED},
        PaymentStatus.FAILED: {"complete": PaymentStatus.COMPLETED},
        PaymentStatus.PARTIALLY_REFUNDED: {"refund": _REFUND_ENDS, "bounce": PaymentStatus.COMPLETED},
        # A settled refund may bounce.
        PaymentStatus.REFUNDED: {"bounce": (PaymentStatus.COMPLETED, PaymentStatus.PARTIALLY_REFUNDED)},
    },
)


@dataclass(frozen=True, slots=True)
class Priced:
    """What a basket costs. The shares are per ticket, in the order of the seats, and add up to their totals."""

    subtotal: Money
    discount: Money
    service_fee: Money
    tax_amount: Money
    total: Money
    prices: tuple[Money, ...]
    discount_shares: tuple[Money, ...]
    fee_shares: tuple[Money, ...]
    tax_shares: tuple[Money, ...]


def price(
    seats: Sequence[Decimal],
    *,
    fee_percent: Decimal,
    currency: str,
    tax_rate: Decimal = Decimal(0),
    discount: Decimal = Decimal(0),
) -> Priced:
    """Prices a basket from the seats' retail prices in human order.

    Fee: `fee_percent` (10 is 10 %) of the subtotal before discount, half-up. Tax: `tax_rate` (0.19 is 19 %) of the
    discounted prices, half-up; the fee's own rate is 0. Fee and discount are split by price, tax by discounted price,
    by largest remainder in the seats' order (contract section 6, accounting.md D).
    """
    prices = tuple(Money(amount, currency) for amount in seats)
    subtotal = Money.total(prices, currency=currency)
    taken_off = Money(discount, currency)
    if not Money.zero(currency) <= taken_off <= subtotal:
        raise ValueError(f"a discount of {taken_off} does not fit a subtotal of {subtotal}")
    fee = round_money(subtotal.amount * fee_percent / 100, currency)
    tax = round_money((subtotal - taken_off).amount * tax_rate, currency)
    weights = [price.amount for price in prices]
    discounts = split(taken_off, weights)
    discounted = [price.amount - share.amount for price, share in zip(prices, discounts, strict=True)]
    return Priced(
        subtotal=subtotal,
        discount=taken_off,
        service_fee=fee,
        tax_amount=tax,
        total=subtotal - taken_off + fee + tax,
        prices=prices,
        discount_shares=discounts,
        fee_shares=split(fee, weights),
        tax_shares=split(tax, discounted),
    )


def held_until(reserved_until: datetime, *, payment: PaymentStatus, grace: timedelta) -> datetime:
    """When the seats are free to others: the reservation's end, or the grace later while a payment is in flight."""
    return reserved_until + grace if payment == PaymentStatus.PROCESSING else reserved_until


def check_payable(
    status: BookingStatus,
    *,
    payment: PaymentStatus,
    reserved_until: datetime,
    now: datetime,
    reason: Reason | None = None,
) -> None:
    """Whether a payment may begin. Raises Refused `already_paid`, `reservation_expired`, `booking_ended`, `payment_in_progress`."""
    if payment == PaymentStatus.PROCESSING:
        raise Refused("payment_in_progress", "Another payment for this booking is on its way.")
    if status == BookingStatus.CONFIRMED:
        raise Refused("already_paid", "This booking has been paid.")
    if status != BookingStatus.RESERVED and reason != Reason.EXPIRED:
        raise Refused("booking_ended", f"This booking is {status}.", facts={"state": str(status)})
    if status != BookingStatus.RESERVED or reserved_until <= now:
        raise Refused("reservation_expired", "The time to pay for these seats is over; please reserve again.")


def retake(status: BookingStatus, *, reason: Reason | None) -> BookingStatus:
    """Late money confirms a booking that expired, and no other. Raises Refused `wrong_state`."""
    if status == BookingStatus.CANCELLED and reason != Reason.EXPIRED:
        raise Refused("wrong_state", f"A booking cancelled for {reason} is not taken up again.")
    return BOOKING.after(status, "retake")


def can(status: BookingStatus, *, payment: PaymentStatus, in_time: bool = True) -> tuple[str, ...]:
    """What people may do with a booking: pay and release while the reservation runs, cancel once it is confirmed."""
    if payment == PaymentStatus.PROCESSING:
        return ()
    if status == BookingStatus.RESERVED:
        return ("pay", "release") if in_time else ("release",)
    return ("cancel",) if status == BookingStatus.CONFIRMED else ()


def payment_after_refund(paid: Money, *, refunded: Money) -> PaymentStatus:
    """The payment axis of a paid booking by what has gone back so far (settled refunds)."""
    if not refunded.is_positive:
        return PaymentStatus.COMPLETED
    return PaymentStatus.REFUNDED if refunded >= paid else PaymentStatus.PARTIALLY_REFUNDED


def status_after_cancelling(kept_tickets: int, *, paid_back: bool) -> BookingStatus:
    """CONFIRMED while tickets remain; after all of them REFUNDED if money goes back, else CANCELLED."""
    if kept_tickets:
        return BookingStatus.CONFIRMED
    return BookingStatus.REFUNDED if paid_back else BookingStatus.CANCELLED
