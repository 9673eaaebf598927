"""Payables: terms and due dates, what a payment settles, and how far an order may be paid in advance."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from domain.labels import sort_key
from domain.money import Money
from domain.states import Machine, Refused

_NET = re.compile(r"NET_([1-9][0-9]{0,2})", re.ASCII)
_IMMEDIATE = "IMMEDIATE"


class BillState(StrEnum):
    """What is left of a bill."""

    OPEN = "OPEN"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"


# Paying and using up an advance are the same arrow to a bill.
BILL = Machine[BillState](
    "bill",
    {
        BillState.OPEN: {"pay": (BillState.PARTIALLY_PAID, BillState.PAID)},
        BillState.PARTIALLY_PAID: {"pay": (BillState.PARTIALLY_PAID, BillState.PAID)},
        BillState.PAID: {},
    },
    code="overpayment",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Payment terms: so many calendar days after the bill's date; IMMEDIATE is none."""

    days: int

    @classmethod
    def parse(cls, text: str, *, pointer: str | None = None) -> "Terms":
        """IMMEDIATE or NET_1 to NET_999. Raises Refused `invalid`."""
        if text == _IMMEDIATE:
            return cls(0)
        match = _NET.fullmatch(text)
        if not match:
            words = f"{text[:40]!r} are no payment terms; known are IMMEDIATE and NET_30, NET_60 or another NET_<days>."
            raise Refused("invalid", words, pointer=pointer)
        return cls(int(match[1]))

    def code(self) -> str:
        """The text that parse reads."""
        return f"NET_{self.days}" if self.days else _IMMEDIATE


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something with an amount left: a bill to be paid, or an advance to be used up."""

    id: UUID
    open_amount: Money


@dataclass(frozen=True, slots=True)
class OpenBill(OpenItem):
    """A bill with what is needed to say which is paid first."""

    number: str
    bill_date: date
    due_date: date


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of a payment or an advance goes to the item with this id."""

    id: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a payment settles; the rest is what no open item took."""

    allocations: tuple[Allocation, ...]
    rest: Money

    @property
    def settled(self) -> Money:
        return Money.total((allocation.amount for allocation in self.allocations), currency=self.rest.currency)


def due_date(bill_date: date, terms: Terms) -> date:
    """Calendar days after the bill's date (design section 6)."""
    return bill_date + timedelta(days=terms.days)


def bill_state(amount: Money, *, open_amount: Money) -> BillState:
    """PAID with nothing open, OPEN with all of it open. A bill of nothing is PAID."""
    if not open_amount.is_positive:
        return BillState.PAID
    return BillState.PARTIALLY_PAID if open_amount < amount else BillState.OPEN


def in_payment_order(bills: Iterable[OpenBill]) -> list[OpenBill]:
    """By due date, then bill date, then number (accounting.md D)."""
    return sorted(bills, key=lambda bill: (bill.due_date, bill.bill_date, sort_key(bill.number)))


def settle(amount: Money, open_items: Sequence[OpenItem]) -> Settlement:
    """Spends the amount on the open items in the order given: bills by a payment, or advances by a new bill."""
    rest = amount
    allocations = []
    for item in open_items:
        part = min(rest, item.open_amount)
        if part.is_positive:
            allocations.append(Allocation(item.id, part))
            rest -= part
    return Settlement(tuple(allocations), rest)


def advance_room(confirmed: Money, *, to_come: int, billed: Money, unapplied_advances: Money) -> Money:
    """How much more may be paid in advance: confirmed (and not cancelled) less billed less advances not used up.

    Nothing when no seat is to come any more: bills rounded one by one may have left a cent that no bill will ever use.
    """
    nothing = Money.zero(confirmed.currency)
    return max(confirmed - billed - unapplied_advances, nothing) if to_come else nothing


def pay_order(amount: Money | None, *, bills: Sequence[OpenBill], room: Money) -> Settlement:
    """A payment on an order: open bills first, the rest is an advance within the room (accounting.md D).

    Without an amount the open bills are paid, or, when none is open, the whole room in advance.
    Raises Refused `nothing_to_pay` or `overpayment`.
    """
    open_amount = Money.total((bill.open_amount for bill in bills), currency=room.currency)
    if amount is None and not (open_amount + room).is_positive:
        raise Refused("nothing_to_pay", "Nothing is open on this order, and nothing may be paid in advance.")
    paid = _positive(amount or (open_amount if open_amount.is_positive else room))
    if paid > open_amount + room:
        words = f"{open_amount} is open and up to {room} may be paid in advance; {paid} is more."
        raise Refused("overpayment", words, facts=_facts(paid, open_amount) | {"advance_room": room.as_json()})
    return settle(paid, in_payment_order(bills))


def pay_bill(amount: Money | None, *, open_amount: Money) -> Money:
    """What a payment of one bill pays: all that is open unless an amount says less. Raises Refused `overpayment`."""
    if not open_amount.is_positive:
        raise Refused("overpayment", "Nothing is open on this bill.", facts=_facts(amount or open_amount, open_amount))
    paid = _positive(amount or open_amount)
    if paid > open_amount:
        words = f"{open_amount} is open on this bill; {paid} is more."
        raise Refused("overpayment", words, facts=_facts(paid, open_amount))
    return paid


def _positive(amount: Money) -> Money:
    if not amount.is_positive:
        raise Refused("invalid", "A payment is above zero.", pointer="/amount")
    return amount


def _facts(paid: Money, open_amount: Money) -> dict[str, object]:
    return {"amount": paid.as_json(), "open_amount": open_amount.as_json()}
