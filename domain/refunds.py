"""Refunds: what a cancelled ticket gives back by the policy it was bought under, as a quote that is executed or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain import fingerprints
from domain.booking import TicketStatus
from domain.money import Money
from domain.states import Machine, Refused


class RefundStatus(StrEnum):
    """One attempt to send money back."""

    REQUESTED = "REQUESTED"
    SUBMITTED = "SUBMITTED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    ESCALATED = "ESCALATED"


REFUND = Machine[RefundStatus](
    "refund",
    {
        RefundStatus.REQUESTED: {"submit": RefundStatus.SUBMITTED, "escalate": RefundStatus.ESCALATED},
        RefundStatus.SUBMITTED: {
            "settle": RefundStatus.SETTLED,
            "fail": RefundStatus.FAILED,
            "escalate": RefundStatus.ESCALATED,
        },
        # A settled refund may bounce.
        RefundStatus.SETTLED: {"bounce": RefundStatus.FAILED},
        # The next attempt is a row of its own; people take over after the last one.
        RefundStatus.FAILED: {"escalate": RefundStatus.ESCALATED},
        RefundStatus.ESCALATED: {"settle": RefundStatus.SETTLED},
    },
)

_EVERYTHING = Decimal(100)
# Money in these states is on its way and counts as spent.
PENDING = (RefundStatus.REQUESTED, RefundStatus.SUBMITTED, RefundStatus.ESCALATED)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a cancelled ticket gives back, frozen on the booking when it is made. Percentages: 100 is everything."""

    price_percent: Decimal = _EVERYTHING
    fee_percent: Decimal = Decimal(0)
    hours_before_start: int = 0

    def snapshot(self) -> dict[str, object]:
        """Plain values for the booking's row."""
        return {
            "price_percent": str(self.price_percent),
            "fee_percent": str(self.fee_percent),
            "hours_before_start": self.hours_before_start,
        }

    @classmethod
    def of_snapshot(cls, values: Mapping[str, object]) -> "Policy":
        return cls(
            price_percent=Decimal(str(values["price_percent"])),
            fee_percent=Decimal(str(values["fee_percent"])),
            hours_before_start=int(str(values["hours_before_start"])),
        )

    def words(self) -> str:
        whole = self.price_percent == _EVERYTHING
        price = "Price refunded in full" if whole else f"{self.price_percent} % of the price refunded"
        fee = "service fee kept" if not self.fee_percent else f"{self.fee_percent} % of the service fee refunded"
        return f"{price}, {fee}."


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class HeldTicket:
    """A ticket as it was sold. `tax` is the tax on the discounted price."""

    ticket_id: UUID
    status: TicketStatus
    price: Money
    discount: Money
    fee: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """What one ticket gives back: `refund` is price and its tax; `fee_back` is counted apart; `kept` stays with us."""

    ticket_id: UUID
    price: Money
    refund: Money
    reason: str
    discount: Money
    fee_back: Money
    tax_back: Money
    kept: Money


@dataclass(frozen=True, slots=True)
class Quote:
    """A cancellation's numbers; what is executed is exactly this."""

    lines: tuple[QuoteLine, ...]
    fee_refund: Money
    refund_total: Money
    balance_after: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """A booking's money (contract section 6): the kept tickets, what the agency keeps, what was paid and went back."""

    ticket_count: int
    subtotal: Money
    discount_amount: Money
    service_fee: Money
    tax_amount: Money
    cancellation_charge: Money
    paid: Money
    refunded: Money
    refunds_pending: Money

    @property
    def total_amount(self) -> Money:
        return self.subtotal - self.discount_amount + self.service_fee + self.tax_amount + self.cancellation_charge

    @property
    def balance(self) -> Money:
        """What the customer still owes; negative when we owe. Money on its way back counts as spent."""
        return self.total_amount - self.paid + self.refunded + self.refunds_pending


def quote(
    tickets: Sequence[HeldTicket], *, totals: Totals, policy: Policy, starts_at: datetime, now: datetime
) -> Quote:
    """What cancelling these tickets of a paid booking gives back.

    Raises Refused `ticket_not_valid` (one is not CONFIRMED), `too_late`, `wrong_state` (more than is left of what was paid).
    """
    wrong = [str(ticket.ticket_id) for ticket in tickets if ticket.status != TicketStatus.CONFIRMED]
    if wrong:
        raise Refused("ticket_not_valid", "Only confirmed tickets can be cancelled.", facts={"ticket_ids": wrong})
    if now >= starts_at - timedelta(hours=policy.hours_before_start):
        raise Refused("too_late", "Tickets can be cancelled up to the event's start, not after it.")
    lines = tuple(_line(ticket, policy) for ticket in tickets)
    fee_refund = Money.total((line.fee_back for line in lines), currency=totals.paid.currency)
    refund_total = Money.total((line.refund for line in lines), currency=totals.paid.currency) + fee_refund
    spendable = totals.paid - totals.refunded - totals.refunds_pending
    if refund_total > spendable:
        words = f"{refund_total} would go back, but only {spendable} of what was paid is left."
        raise Refused("wrong_state", words, facts={"refund_total": refund_total.as_json(), "left": spendable.as_json()})
    draft = Quote(lines, fee_refund, refund_total, totals.balance)
    return replace(draft, balance_after=after_cancel(totals, draft).balance)


def after_cancel(totals: Totals, quote: Quote) -> Totals:
    """The booking's totals once the quote is executed; the refund is pending until it has settled."""
    lines, currency = quote.lines, totals.paid.currency
    return Totals(
        ticket_count=totals.ticket_count - len(lines),
        subtotal=totals.subtotal - Money.total((line.price for line in lines), currency=currency),
        discount_amount=totals.discount_amount - Money.total((line.discount for line in lines), currency=currency),
        service_fee=totals.service_fee - quote.fee_refund,
        tax_amount=totals.tax_amount - Money.total((line.tax_back for line in lines), currency=currency),
        cancellation_charge=totals.cancellation_charge + Money.total((line.kept for line in lines), currency=currency),
        paid=totals.paid,
        refunded=totals.refunded,
        refunds_pending=totals.refunds_pending + quote.refund_total,
    )


def after_settling(totals: Totals, amount: Money) -> Totals:
    """A pending refund has reached the customer."""
    return replace(totals, refunded=totals.refunded + amount, refunds_pending=totals.refunds_pending - amount)


def fingerprint(quote: Quote) -> str:
    """Equal for quotes with the same numbers for the same tickets, whatever their order."""
    lines = sorted((asdict(line) for line in quote.lines), key=lambda line: str(line["ticket_id"]))
    return fingerprints.of({**asdict(quote), "lines": lines})


def check_fresh(quote: Quote, *, fingerprint_then: str) -> None:
    """Raises Refused `quote_stale` when the numbers due now are not those that were quoted."""
    if fingerprint(quote) != fingerprint_then:
        raise Refused("quote_stale", "The numbers have changed since this quote; ask for a new one.")


def _line(ticket: HeldTicket, policy: Policy) -> QuoteLine:
    discounted = ticket.price - ticket.discount
    price_back = _percent(discounted, policy.price_percent)
    tax_back = _percent(ticket.tax, policy.price_percent)
    return QuoteLine(
        ticket_id=ticket.ticket_id,
        price=ticket.price,
        refund=price_back + tax_back,
        reason=policy.words(),
        discount=ticket.discount,
        fee_back=_percent(ticket.fee, policy.fee_percent),
        tax_back=tax_back,
        kept=discounted - price_back,
    )


def _percent(amount: Money, percent: Decimal) -> Money:
    return amount.times(percent / 100)
