"""The books: accounts, entries that sum to zero, and the postings of the trade by name (accounting.md A).

Amounts are signed, debit positive. Quantities follow the business, not the sides: on 4000 tickets sold (+) or reversed (-),
on 4090 tickets cancelled, on 1200, 5000 and 5200 seats that come into the account (+) or leave it (-).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, Self
from uuid import UUID

from domain.money import Money, split


class Account(StrEnum):
    """The chart of accounts; a member is its code, `label` is what people call it."""

    label: str

    BANK = "1000", "Bank"
    CASH_CLEARING = "1100", "Cash clearing"
    CUSTOMERS = "1110", "Customers"
    TICKET_INVENTORY = "1200", "Ticket inventory"
    SUPPLIER_ADVANCES = "1300", "Supplier advances"
    SUPPLIER_CREDITS = "1310", "Supplier credits receivable"
    INPUT_TAX = "1400", "Input tax"
    DEFERRED_COST = "1450", "Deferred cost"
    PAYABLES = "2100", "Payables"
    GOODS_RECEIVED_NOT_BILLED = "2110", "Goods received, not billed"
    REFUNDS_PAYABLE = "2200", "Refunds payable"
    UNALLOCATED_CUSTOMER_MONEY = "2210", "Unallocated customer money"
    TAX_PAYABLE = "2300", "Tax payable"
    DEFERRED_REVENUE = "2400", "Deferred revenue"
    OWNERS_FUNDS = "3000", "Owner's funds"
    RETAINED_EARNINGS = "3900", "Retained earnings"
    TICKET_SALES = "4000", "Ticket sales"
    DISCOUNTS = "4080", "Discounts"
    REFUNDS = "4090", "Refunds"
    SERVICE_FEES = "4100", "Service fees"
    CANCELLATION_INCOME = "4200", "Cancellation income"
    COMMISSION = "4300", "Commission"
    COST_OF_SALES = "5000", "Cost of sales"
    UNSOLD_WRITTEN_OFF = "5200", "Unsold written off"
    VARIANCES = "5300", "Variances and return losses"
    PROVIDER_FEES = "6100", "Provider fees"
    EXCHANGE_DIFFERENCES = "6900", "Exchange differences"

    def __new__(cls, code: str, label: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @property
    def code(self) -> str:
        return self.value


class EntryKind(StrEnum):
    """What an entry records; one per posting."""

    ADVANCE_PAID = "ADVANCE_PAID"
    DELIVERY = "DELIVERY"
    BILL_DRAFTED = "BILL_DRAFTED"
    ADVANCE_APPLIED = "ADVANCE_APPLIED"
    BILL_PAID = "BILL_PAID"
    SALE = "SALE"
    CAPTURED = "CAPTURED"
    SALE_REVERSED = "SALE_REVERSED"
    LATE_MONEY = "LATE_MONEY"
    LATE_RETAKEN = "LATE_RETAKEN"
    LATE_REFUNDABLE = "LATE_REFUNDABLE"
    CANCELLATION = "CANCELLATION"
    REFUND_SETTLED = "REFUND_SETTLED"
    REFUND_BOUNCED = "REFUND_BOUNCED"
    PROVIDER_FEE = "PROVIDER_FEE"
    PAYOUT = "PAYOUT"
    WRITTEN_OFF = "WRITTEN_OFF"
    REVERSAL = "REVERSAL"


class Unbalanced(ValueError):
    """An entry whose legs do not sum to zero: a fault of the program, never of the caller's input."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One account's share of an entry, per event, supplier and section where the account is kept that way."""

    account: Account
    amount: Decimal
    event_id: UUID | None = None
    supplier_id: UUID | None = None
    section: str | None = None
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class SeatMove:
    """Seats into (+1 each) or out of (-1 each) an account, at an own cost that is the same for each (never negative)."""

    event_seat_ids: tuple[UUID, ...]
    account: Account
    quantity: int
    cost: Decimal
    event_id: UUID
    supplier_id: UUID
    section: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Legs that sum to zero in one currency, and the seats behind those of 1200, 5000 and 5200."""

    kind: EntryKind
    currency: str
    legs: tuple[Leg, ...]
    moves: tuple[SeatMove, ...] = ()


class Seat(Protocol):
    """What a posting must know of a seat: where it belongs and what it cost."""

    @property
    def event_seat_id(self) -> UUID: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def supplier_id(self) -> UUID: ...
    @property
    def section(self) -> str: ...
    @property
    def cost(self) -> Money: ...


@dataclass(frozen=True, slots=True)
class Lot:
    """Seats delivered or written off that are alike: of one event, supplier and section, at the same cost each."""

    event_seat_ids: tuple[UUID, ...]
    event_id: UUID
    supplier_id: UUID
    section: str
    cost: Money


@dataclass(frozen=True, slots=True)
class SoldTicket:
    """A ticket at its confirmation: list price, its shares of discount, fee and tax, and the seat's cost."""

    event_seat_id: UUID
    event_id: UUID
    supplier_id: UUID
    section: str
    price: Money
    discount: Money
    fee: Money
    tax: Money
    cost: Money


@dataclass(frozen=True, slots=True)
class CancelledTicket:
    """A confirmed ticket given up. `refund_due` is all that goes back for it, the fee and tax given back included."""

    event_seat_id: UUID
    event_id: UUID
    supplier_id: UUID
    section: str
    price: Money
    discount: Money
    cost: Money
    refund_due: Money
    fee_back: Money
    tax_back: Money


@dataclass(frozen=True, slots=True)
class CapturedShare:
    """How much of a captured payment belongs to an event, supplier and section; provider fees follow it."""

    event_id: UUID
    supplier_id: UUID
    section: str
    captured: Money


def advance_paid(amount: Money, *, supplier_id: UUID) -> Entry:
    """Row 2."""
    debit = Leg(Account.SUPPLIER_ADVANCES, amount.amount, supplier_id=supplier_id)
    return _entry(EntryKind.ADVANCE_PAID, amount.currency, [debit, Leg(Account.BANK, -amount.amount)])


def delivery(lots: Sequence[Lot]) -> Entry:
    """Row 3: every seat at its own cost, against goods received and not yet billed."""
    legs = (
        leg
        for stock in map(_stock, lots)
        for leg in (stock, Leg(Account.GOODS_RECEIVED_NOT_BILLED, -stock.amount, supplier_id=stock.supplier_id))
    )
    return _entry(EntryKind.DELIVERY, _currency(lots), legs, _moves(lots, {Account.TICKET_INVENTORY: 1}))


def bill_drafted(amount: Money, *, supplier_id: UUID, input_tax: Money | None = None) -> Entry:
    """Row 4: `amount` is the goods' cost; the bill is for that and the input tax."""
    tax = Decimal(0) if input_tax is None else input_tax.amount
    legs = [
        Leg(Account.GOODS_RECEIVED_NOT_BILLED, amount.amount, supplier_id=supplier_id),
        Leg(Account.INPUT_TAX, tax),
        Leg(Account.PAYABLES, -amount.amount - tax, supplier_id=supplier_id),
    ]
    return _entry(EntryKind.BILL_DRAFTED, amount.currency, legs)


def advance_applied(amount: Money, *, supplier_id: UUID) -> Entry:
    """Row 5."""
    legs = [
        Leg(Account.PAYABLES, amount.amount, supplier_id=supplier_id),
        Leg(Account.SUPPLIER_ADVANCES, -amount.amount, supplier_id=supplier_id),
    ]
    return _entry(EntryKind.ADVANCE_APPLIED, amount.currency, legs)


def bill_paid(amount: Money, *, supplier_id: UUID) -> Entry:
    """Row 6."""
    debit = Leg(Account.PAYABLES, amount.amount, supplier_id=supplier_id)
    return _entry(EntryKind.BILL_PAID, amount.currency, [debit, Leg(Account.BANK, -amount.amount)])


def sale(tickets: Sequence[SoldTicket]) -> Entry:
    """Row 8: what the customer owes, the discount and the seat's cost against list price, fee, tax and inventory."""
    legs = [leg for ticket in tickets for leg in _sale_legs(ticket)]
    moves = _moves(_singly(tickets), {Account.TICKET_INVENTORY: -1, Account.COST_OF_SALES: 1})
    return _entry(EntryKind.SALE, _currency(tickets), legs, moves)


def captured(amount: Money) -> Entry:
    """Row 9."""
    return _transfer(EntryKind.CAPTURED, amount, debit=Account.CASH_CLEARING, credit=Account.CUSTOMERS)


def sale_reversed(tickets: Sequence[SoldTicket]) -> Entry:
    """Row 10: the capture was finally refused."""
    return reversal(sale(tickets), kind=EntryKind.SALE_REVERSED)


def late_money(amount: Money) -> Entry:
    """Row 11: captured after the reservation ended, and not yet decided."""
    return _transfer(
        EntryKind.LATE_MONEY, amount, debit=Account.CASH_CLEARING, credit=Account.UNALLOCATED_CUSTOMER_MONEY
    )


def late_retaken(amount: Money) -> Entry:
    """Row 11a, after a `sale` of the seats taken again: the money in hand pays for them."""
    return _transfer(EntryKind.LATE_RETAKEN, amount, debit=Account.UNALLOCATED_CUSTOMER_MONEY, credit=Account.CUSTOMERS)


def late_refundable(amount: Money) -> Entry:
    """Row 11b: a seat is gone, all of it goes back."""
    debit, credit = Account.UNALLOCATED_CUSTOMER_MONEY, Account.REFUNDS_PAYABLE
    return _transfer(EntryKind.LATE_REFUNDABLE, amount, debit=debit, credit=credit)


def cancellation(tickets: Sequence[CancelledTicket], *, resellable: bool = True) -> Entry:
    """Row 12; not `resellable` is row 18: the seat's cost stays a cost of sales."""
    legs = [leg for ticket in tickets for leg in _cancellation_legs(ticket, resellable=resellable)]
    back = {Account.TICKET_INVENTORY: 1, Account.COST_OF_SALES: -1} if resellable else {}
    return _entry(EntryKind.CANCELLATION, _currency(tickets), legs, _moves(_singly(tickets), back))


def refund_settled(amount: Money) -> Entry:
    """Row 14."""
    return _transfer(EntryKind.REFUND_SETTLED, amount, debit=Account.REFUNDS_PAYABLE, credit=Account.CASH_CLEARING)


def refund_bounced(amount: Money) -> Entry:
    """Row 15."""
    return _transfer(EntryKind.REFUND_BOUNCED, amount, debit=Account.CASH_CLEARING, credit=Account.REFUNDS_PAYABLE)


def provider_fee(amount: Money, *, shares: Sequence[CapturedShare]) -> Entry:
    """Row 16: the fee falls on events, suppliers and sections by what was captured for them."""
    parts = split(amount, [share.captured.amount for share in shares])
    legs = [
        Leg(Account.PROVIDER_FEES, part.amount, share.event_id, share.supplier_id, share.section)
        for share, part in zip(shares, parts, strict=True)
    ]
    return _entry(EntryKind.PROVIDER_FEE, amount.currency, [*legs, Leg(Account.CASH_CLEARING, -amount.amount)])


def payout(amount: Money) -> Entry:
    """Row 16: the provider pays out to the bank."""
    return _transfer(EntryKind.PAYOUT, amount, debit=Account.BANK, credit=Account.CASH_CLEARING)


def written_off(lots: Sequence[Lot]) -> Entry:
    """Row 17: unsold when the event ended (IAS 2.34)."""
    legs = (
        leg
        for stock in map(_stock, lots)
        for leg in (
            replace(stock, account=Account.UNSOLD_WRITTEN_OFF),
            replace(stock, amount=-stock.amount, quantity=-stock.quantity),
        )
    )
    moves = _moves(lots, {Account.TICKET_INVENTORY: -1, Account.UNSOLD_WRITTEN_OFF: 1})
    return _entry(EntryKind.WRITTEN_OFF, _currency(lots), legs, moves)


def reversal(entry: Entry, *, kind: EntryKind = EntryKind.REVERSAL) -> Entry:
    """The same entry the other way round; how anything in the books is ever corrected."""
    legs = tuple(replace(leg, amount=-leg.amount, quantity=-leg.quantity) for leg in entry.legs)
    moves = tuple(replace(move, quantity=-move.quantity) for move in entry.moves)
    return replace(entry, kind=kind, legs=legs, moves=moves)


def _sale_legs(ticket: SoldTicket) -> Iterator[Leg]:
    owed = ticket.price - ticket.discount + ticket.fee + ticket.tax
    yield Leg(Account.CUSTOMERS, owed.amount)
    yield _of(ticket, Account.DISCOUNTS, ticket.discount)
    yield _of(ticket, Account.COST_OF_SALES, ticket.cost, 1)
    yield _of(ticket, Account.TICKET_SALES, -ticket.price, 1)
    yield _of(ticket, Account.SERVICE_FEES, -ticket.fee)
    yield Leg(Account.TAX_PAYABLE, -ticket.tax.amount)
    yield _of(ticket, Account.TICKET_INVENTORY, -ticket.cost, -1)


def _cancellation_legs(ticket: CancelledTicket, *, resellable: bool) -> Iterator[Leg]:
    discounted = ticket.price - ticket.discount
    yield _of(ticket, Account.REFUNDS, discounted, 1)
    yield _of(ticket, Account.SERVICE_FEES, ticket.fee_back)
    yield Leg(Account.TAX_PAYABLE, ticket.tax_back.amount)
    yield Leg(Account.REFUNDS_PAYABLE, -ticket.refund_due.amount)
    kept = discounted + ticket.fee_back + ticket.tax_back - ticket.refund_due
    yield _of(ticket, Account.CANCELLATION_INCOME, -kept)
    if resellable:
        yield _of(ticket, Account.TICKET_INVENTORY, ticket.cost, 1)
        yield _of(ticket, Account.COST_OF_SALES, -ticket.cost, -1)


def _stock(lot: Lot) -> Leg:
    """A lot as inventory."""
    quantity = len(lot.event_seat_ids)
    cost = lot.cost.amount * quantity
    return Leg(Account.TICKET_INVENTORY, cost, lot.event_id, lot.supplier_id, lot.section, quantity)


def _of(seat: Seat, account: Account, amount: Money, quantity: int = 0) -> Leg:
    return Leg(account, amount.amount, seat.event_id, seat.supplier_id, seat.section, quantity)


def _transfer(kind: EntryKind, amount: Money, *, debit: Account, credit: Account) -> Entry:
    return _entry(kind, amount.currency, [Leg(debit, amount.amount), Leg(credit, -amount.amount)])


def _currency(seats: Sequence[Lot | Seat]) -> str:
    """The one currency of all seats; an entry without seats has none and is refused."""
    currencies = {seat.cost.currency for seat in seats}
    if len(currencies) != 1:
        raise Unbalanced(f"an entry has one currency, not {sorted(currencies) or 'none'}")
    return currencies.pop()


def _moves(lots: Iterable[Lot], accounts: dict[Account, int]) -> tuple[SeatMove, ...]:
    return tuple(
        SeatMove(lot.event_seat_ids, account, quantity, lot.cost.amount, lot.event_id, lot.supplier_id, lot.section)
        for lot in lots
        for account, quantity in accounts.items()
    )


def _singly(seats: Iterable[Seat]) -> Iterator[Lot]:
    """Each seat as a lot of its own."""
    for seat in seats:
        yield Lot((seat.event_seat_id,), seat.event_id, seat.supplier_id, seat.section, seat.cost)


def _entry(kind: EntryKind, currency: str, legs: Iterable[Leg], moves: tuple[SeatMove, ...] = ()) -> Entry:
    """Legs added up per account, event, supplier and section; those that say nothing are left out. Raises Unbalanced."""
    groups: dict[tuple[Account, UUID | None, UUID | None, str | None], tuple[Decimal, int]] = {}
    for leg in legs:
        key = (leg.account, leg.event_id, leg.supplier_id, leg.section)
        amount, quantity = groups.get(key, (Decimal(0), 0))
        groups[key] = (amount + leg.amount, quantity + leg.quantity)
    kept = [
        Leg(account, amount, event_id, supplier_id, section, quantity)
        for (account, event_id, supplier_id, section), (amount, quantity) in groups.items()
        if amount or quantity
    ]
    if sum(leg.amount for leg in kept):
        raise Unbalanced(f"{kind} does not sum to zero: {kept}")
    return Entry(kind, currency, tuple(sorted(kept, key=_leg_order)), moves)


def _leg_order(leg: Leg) -> tuple[str, str, str, str]:
    return leg.account, str(leg.event_id), str(leg.supplier_id), leg.section or ""
