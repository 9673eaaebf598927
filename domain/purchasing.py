"""Purchase orders: what may be done with one, and the status that follows from what its lines say."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from domain.money import BadMoney, Money, round_money
from domain.states import Fault, Machine, Refused

K = TypeVar("K", bound=Hashable)

UNIT_PRICE_DECIMALS = 4
_UNIT_PRICE_LIMIT = Decimal(10) ** 10


class OrderStatus(StrEnum):
    """The order axis; derived from facts, never set."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class LineStatus(StrEnum):
    """One line of an order; RECEIVED when something came and nothing is open."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    RECEIVED = "RECEIVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class ReceiptStatus(StrEnum):
    """The receipt axis: how much of what is wanted has come."""

    NOT_RECEIVED = "NOT_RECEIVED"
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    RECEIVED = "RECEIVED"


class BillStatus(StrEnum):
    """The bill axis: how much of what will come is billed, and whether the bills are paid."""

    NOT_BILLED = "NOT_BILLED"
    PARTIALLY_BILLED = "PARTIALLY_BILLED"
    BILLED = "BILLED"
    PAID = "PAID"


ORDER = Machine[OrderStatus](
    "purchase order",
    {
        # A deleted draft leaves no row behind; the arrow only says that it may be deleted.
        OrderStatus.DRAFT: {"edit": OrderStatus.DRAFT, "delete": OrderStatus.DRAFT, "submit": OrderStatus.PENDING},
        OrderStatus.PENDING: {
            "confirm": OrderStatus.CONFIRMED,
            "cancel": OrderStatus.CANCELLED,
            "lapse": OrderStatus.CANCELLED,
        },
        OrderStatus.CONFIRMED: {
            "receive": (OrderStatus.PARTIALLY_RECEIVED, OrderStatus.COMPLETED),
            "cancel": OrderStatus.CANCELLED,
            "pay": OrderStatus.CONFIRMED,
        },
        # Delivered seats stay ours: cancelling the rest completes the order.
        OrderStatus.PARTIALLY_RECEIVED: {
            "receive": (OrderStatus.PARTIALLY_RECEIVED, OrderStatus.COMPLETED),
            "cancel": OrderStatus.COMPLETED,
            "pay": OrderStatus.PARTIALLY_RECEIVED,
        },
        OrderStatus.COMPLETED: {"pay": OrderStatus.COMPLETED},
        OrderStatus.CANCELLED: {},
    },
    codes={"receive": "not_receivable"},
)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """Seats of one line: ordered, confirmed by the supplier, received, rejected by the supplier, cancelled by us."""

    quantity: int
    confirmed: int = 0
    received: int = 0
    rejected: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """What may still be delivered (contract section 5, rule 5); 0 while nothing is confirmed."""
        return max(self.confirmed - self.received - self.cancelled, 0)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What has happened to an order; `cancelled` covers a lapse too."""

    submitted: bool
    confirmed: bool
    cancelled: bool
    lines: tuple[LineFacts, ...]

    @property
    def received(self) -> int:
        return sum(line.received for line in self.lines)

    @property
    def open(self) -> int:
        return sum(line.open for line in self.lines)


def order_status(facts: OrderFacts) -> OrderStatus:
    """The header's status from its facts (contract section 5, "Closing"; design section 5)."""
    if facts.received:
        return OrderStatus.PARTIALLY_RECEIVED if facts.open else OrderStatus.COMPLETED
    if facts.cancelled:
        return OrderStatus.CANCELLED
    if not facts.submitted:
        return OrderStatus.DRAFT
    if not facts.confirmed:
        return OrderStatus.PENDING
    return OrderStatus.CONFIRMED if facts.open else OrderStatus.CANCELLED


def line_status(line: LineFacts, *, confirmed: bool) -> LineStatus:
    """One line's status; `confirmed` says whether the order has been confirmed."""
    if line.received:
        return LineStatus.PARTIALLY_RECEIVED if line.open else LineStatus.RECEIVED
    if line.cancelled:
        return LineStatus.CANCELLED
    if not confirmed:
        return LineStatus.PENDING
    return LineStatus.CONFIRMED if line.open else LineStatus.REJECTED


def receipt_status(facts: OrderFacts) -> ReceiptStatus:
    """RECEIVED when something came and nothing is open."""
    if not facts.received:
        return ReceiptStatus.NOT_RECEIVED
    return ReceiptStatus.PARTIALLY_RECEIVED if facts.open else ReceiptStatus.RECEIVED


def bill_status(
    facts: OrderFacts, *, received_amount: Money, billed: Money, open_amount: Money, bills: int
) -> BillStatus:
    """The bill axis. BILLED once nothing more will come and all that came is billed; PAID once those bills are paid."""
    if not bills:
        return BillStatus.NOT_BILLED
    if facts.open or billed < received_amount:
        return BillStatus.PARTIALLY_BILLED
    return BillStatus.BILLED if open_amount.is_positive else BillStatus.PAID


def order_can(status: OrderStatus) -> tuple[str, ...]:
    """What people may do; a lapse is the clock's."""
    return tuple(verb for verb in ORDER.verbs(status) if verb != "lapse")


def rest_to_cancel(line: LineFacts, *, confirmed: bool) -> int:
    """How many seats of a line cancelling the order gives up: what is open, or all of it before the confirmation."""
    return line.open if confirmed else line.quantity - line.cancelled


def line_total(quantity: int, unit_price: Decimal, currency: str) -> Money:
    """Quantity times unit price (up to 4 decimals), half-up to the currency."""
    return round_money(check_unit_price(unit_price) * quantity, currency)


def check_unit_price(unit_price: Decimal) -> Decimal:
    """A price per seat of 0 or more with at most 4 decimals. Raises BadMoney."""
    if not unit_price.is_finite() or not 0 <= unit_price < _UNIT_PRICE_LIMIT:
        raise BadMoney("invalid", f"A price per seat is 0 or more and below {_UNIT_PRICE_LIMIT:,}.")
    if unit_price != round(unit_price, UNIT_PRICE_DECIMALS):
        raise BadMoney("invalid", f"A price per seat has at most {UNIT_PRICE_DECIMALS} decimals.")
    return unit_price


def check_confirmation(lines: Mapping[K, int], confirmed: Mapping[K, int]) -> dict[K, int]:
    """The confirmed quantity of every line: `lines` is ordered seats by line, `confirmed` the supplier's answer.

    A line without an answer is confirmed in full. Raises Refused `invalid` for an unknown line or a number outside
    0..ordered (pointers by the answer's order), `nothing_confirmed` when every line is 0.
    """
    faults = _confirmation_faults(lines, confirmed)
    if faults:
        raise Refused("invalid", faults[0].message, errors=faults)
    result = {line: confirmed.get(line, quantity) for line, quantity in lines.items()}
    if not any(result.values()):
        words = "A confirmation confirms at least one seat; cancel the order instead."
        raise Refused("nothing_confirmed", words, pointer="/lines")
    return result


def _confirmation_faults(lines: Mapping[K, int], confirmed: Mapping[K, int]) -> tuple[Fault, ...]:
    faults = []
    for index, (line, quantity) in enumerate(confirmed.items()):
        if line not in lines:
            faults.append(Fault(f"/lines/{index}/line_id", "unknown_line", "The order has no such line."))
        elif not 0 <= quantity <= lines[line]:
            words = f"Between 0 and the {lines[line]} ordered, not {quantity}."
            faults.append(Fault(f"/lines/{index}/confirmed_quantity", "out_of_range", words))
    return tuple(faults)


def confirmed_total(lines: Sequence[tuple[LineFacts, Decimal]], *, currency: str) -> Money:
    """What the order will cost: confirmed and not cancelled seats of each line at its unit price."""
    totals = (line_total(line.received + line.open, unit_price, currency) for line, unit_price in lines)
    return Money.total(totals, currency=currency)
