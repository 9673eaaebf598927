"""What the words of the reports mean: from sums of the journal's legs to rows and totals (accounting.md C)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from domain.labels import sort_key
from domain.ledger import Account
from domain.money import Money, ratio

R = TypeVar("R")

TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class GroupSum:
    """The legs of one account within one group (an event's id, a supplier's, a section): debit-positive sum, quantity."""

    key: str
    account: Account
    amount: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class ProfitRow:
    """One group of the profit report; ratios are text with 4 decimals, None unless the denominator is above 0."""

    key: str | None
    label: str
    tickets_sold: int
    tickets_refunded: int
    gross_sales: Money
    discounts: Money
    refunds: Money
    net_revenue: Money
    fees: Money
    cancellation_income: Money
    cost_of_sales: Money
    gross_profit: Money
    margin: str | None
    markup: str | None
    unsold_seats: int
    unsold_cost: Money
    written_off_seats: int
    written_off_cost: Money
    provider_fees: Money
    contribution: Money


@dataclass(frozen=True, slots=True)
class RevenueRow:
    """One group of the revenue report: the profit report's words without cost."""

    key: str | None
    label: str
    tickets_sold: int
    tickets_refunded: int
    gross_sales: Money
    discounts: Money
    refunds: Money
    net_revenue: Money
    fees: Money
    cancellation_income: Money


@dataclass(frozen=True, slots=True)
class ValuationRow:
    """Owned unsold seats of one group at their own cost."""

    key: str | None
    label: str
    seats: int
    value: Money


@dataclass(frozen=True, slots=True)
class Report(Generic[R]):
    """Rows in the human order of their labels, and one row over all groups whose key is None."""

    rows: tuple[R, ...]
    totals: R


class _Sums:
    """Amount and quantity per account within one group."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self._amounts: dict[Account, Decimal] = {}
        self._quantities: dict[Account, int] = {}

    def add(self, account: Account, amount: Decimal, quantity: int) -> None:
        self._amounts[account] = self._amounts.get(account, Decimal(0)) + amount
        self._quantities[account] = self._quantities.get(account, 0) + quantity

    def debit(self, account: Account) -> Money:
        return Money(self._amounts.get(account, Decimal(0)), self.currency)

    def credit(self, account: Account) -> Money:
        return -self.debit(account)

    def quantity(self, account: Account) -> int:
        return self._quantities.get(account, 0)


def profit(
    flows: Iterable[GroupSum], *, positions: Iterable[GroupSum], labels: Mapping[str, str], currency: str
) -> Report[ProfitRow]:
    """The profit report. `flows` are the legs of the period; `positions` those of 1200 from the beginning to `as_of`.

    Legs of other accounts are ignored on either side, so that callers may sum whatever they have.
    """
    stock = [position for position in positions if position.account == Account.TICKET_INVENTORY]
    moved = [flow for flow in flows if flow.account != Account.TICKET_INVENTORY]
    return _report([*moved, *stock], labels=labels, currency=currency, row=_profit_row)


def revenue(flows: Iterable[GroupSum], *, labels: Mapping[str, str], currency: str) -> Report[RevenueRow]:
    """The revenue report of a period."""
    return _report(flows, labels=labels, currency=currency, row=_revenue_row)


def valuation(positions: Iterable[GroupSum], *, labels: Mapping[str, str], currency: str) -> Report[ValuationRow]:
    """The inventory at cost: the legs of 1200 from the beginning to `as_of`; groups with nothing left are left out."""
    stock = [position for position in positions if position.account == Account.TICKET_INVENTORY]
    report = _report(stock, labels=labels, currency=currency, row=_valuation_row)
    return Report(tuple(row for row in report.rows if row.seats or not row.value.is_zero), report.totals)


def _report(
    sums: Iterable[GroupSum],
    *,
    labels: Mapping[str, str],
    currency: str,
    row: Callable[[str | None, str, _Sums], R],
) -> Report[R]:
    groups: defaultdict[str, _Sums] = defaultdict(lambda: _Sums(currency))
    everything = _Sums(currency)
    for part in sums:
        for group in (groups[part.key], everything):
            group.add(part.account, part.amount, part.quantity)
    named = sorted(((labels.get(key, key), key) for key in groups), key=lambda pair: (sort_key(pair[0]), pair[1]))
    return Report(tuple(row(key, label, groups[key]) for label, key in named), row(None, TOTAL, everything))


def _profit_row(key: str | None, label: str, sums: _Sums) -> ProfitRow:
    sold = _revenue_row(key, label, sums)
    cost = sums.debit(Account.COST_OF_SALES)
    gross_profit = sold.net_revenue - cost
    written_off, provider_fees = sums.debit(Account.UNSOLD_WRITTEN_OFF), sums.debit(Account.PROVIDER_FEES)
    return ProfitRow(
        key=key,
        label=label,
        tickets_sold=sold.tickets_sold,
        tickets_refunded=sold.tickets_refunded,
        gross_sales=sold.gross_sales,
        discounts=sold.discounts,
        refunds=sold.refunds,
        net_revenue=sold.net_revenue,
        fees=sold.fees,
        cancellation_income=sold.cancellation_income,
        cost_of_sales=cost,
        gross_profit=gross_profit,
        margin=_ratio(gross_profit, sold.net_revenue),
        markup=_ratio(gross_profit, cost),
        unsold_seats=sums.quantity(Account.TICKET_INVENTORY),
        unsold_cost=sums.debit(Account.TICKET_INVENTORY),
        written_off_seats=sums.quantity(Account.UNSOLD_WRITTEN_OFF),
        written_off_cost=written_off,
        provider_fees=provider_fees,
        contribution=gross_profit + sold.fees + sold.cancellation_income - written_off - provider_fees,
    )


def _revenue_row(key: str | None, label: str, sums: _Sums) -> RevenueRow:
    gross_sales, discounts = sums.credit(Account.TICKET_SALES), sums.debit(Account.DISCOUNTS)
    refunds = sums.debit(Account.REFUNDS)
    return RevenueRow(
        key=key,
        label=label,
        tickets_sold=sums.quantity(Account.TICKET_SALES),
        tickets_refunded=sums.quantity(Account.REFUNDS),
        gross_sales=gross_sales,
        discounts=discounts,
        refunds=refunds,
        net_revenue=gross_sales - discounts - refunds,
        fees=sums.credit(Account.SERVICE_FEES),
        cancellation_income=sums.credit(Account.CANCELLATION_INCOME),
    )


def _valuation_row(key: str | None, label: str, sums: _Sums) -> ValuationRow:
    return ValuationRow(key, label, sums.quantity(Account.TICKET_INVENTORY), sums.debit(Account.TICKET_INVENTORY))


def _ratio(numerator: Money, denominator: Money) -> str | None:
    value = ratio(numerator.amount, denominator.amount)
    return None if value is None else str(value)
