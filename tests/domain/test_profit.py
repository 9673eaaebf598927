"""The words of the reports, by the worked check of accounting.md C."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domain import ledger
from domain.ledger import Account, CancelledTicket, CapturedShare, Entry, Lot, SoldTicket
from domain.money import Money
from domain.profit import GroupSum, profit, revenue, valuation

EVENT, SUPPLIER, SEAT = UUID(int=1), UUID(int=2), UUID(int=3)
LABELS = {str(EVENT): "Faust"}


def eur(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def sums(entries: Iterable[Entry]) -> list[GroupSum]:
    return [
        GroupSum(str(leg.event_id), leg.account, leg.amount, leg.quantity)
        for entry in entries
        for leg in entry.legs
        if leg.event_id
    ]


def the_worked_check() -> dict[date, Entry]:
    """Price 35, fee 3.50, cost 20; sold 30 March, cancelled 2 April, sold again 9 April."""
    seat = Lot((SEAT,), EVENT, SUPPLIER, "Stalls", eur(20))
    sold = SoldTicket(SEAT, EVENT, SUPPLIER, "Stalls", eur(35), eur(0), eur("3.50"), eur(0), eur(20))
    back = CancelledTicket(SEAT, EVENT, SUPPLIER, "Stalls", eur(35), eur(0), eur(20), eur(35), eur(0), eur(0))
    return {
        date(2026, 3, 1): ledger.delivery([seat]),
        date(2026, 3, 30): ledger.sale([sold]),
        date(2026, 4, 2): ledger.cancellation([back]),
        date(2026, 4, 9): ledger.sale([sold]),
    }


@pytest.mark.parametrize(
    ("day", "sold", "refunded", "gross", "refunds", "net", "fees", "cost", "unsold"),
    [
        (date(2026, 3, 29), 0, 0, 0, 0, 0, "0", 0, 1),
        (date(2026, 3, 31), 1, 0, 35, 0, 35, "3.50", 20, 0),
        (date(2026, 4, 8), 1, 1, 35, 35, 0, "3.50", 0, 1),
        (date(2026, 4, 30), 2, 1, 70, 35, 35, "7.00", 20, 0),
    ],
)
def test_the_worked_check_holds_at_every_date(
    day: date, *, sold: int, refunded: int, gross: int, refunds: int, net: int, fees: str, cost: int, unsold: int
) -> None:
    flows = sums(entry for posted, entry in the_worked_check().items() if posted <= day)

    row = profit(flows, positions=flows, labels=LABELS, currency="EUR").totals

    assert (row.tickets_sold, row.tickets_refunded) == (sold, refunded)
    assert (row.gross_sales, row.refunds, row.net_revenue) == (eur(gross), eur(refunds), eur(net))
    assert (row.fees, row.cost_of_sales, row.gross_profit) == (eur(fees), eur(cost), eur(net) - eur(cost))
    assert (row.unsold_seats, row.unsold_cost) == (unsold, eur(20 * unsold))
    assert row.contribution == row.gross_profit + row.fees


def test_flows_are_of_the_period_and_the_stock_is_of_its_end() -> None:
    entries = the_worked_check()
    april = sums(entry for day, entry in entries.items() if day.month == 4)

    (row,) = profit(april, positions=sums(entries.values()), labels=LABELS, currency="EUR").rows

    assert (row.key, row.label) == (str(EVENT), "Faust")
    assert (row.tickets_sold, row.tickets_refunded, row.net_revenue) == (1, 1, eur(0))
    assert (row.unsold_seats, row.unsold_cost) == (0, eur(0))
    assert (row.margin, row.markup) == (None, None)


def test_ratios_are_text_with_four_decimals() -> None:
    flows = sums(the_worked_check().values())

    row = profit(flows, positions=flows, labels=LABELS, currency="EUR").totals

    assert (row.margin, row.markup) == ("0.4286", "0.7500")


def test_contribution_counts_everything_once() -> None:
    written_off = Lot((UUID(int=4),), EVENT, SUPPLIER, "Stalls", eur("12.00"))
    kept = CancelledTicket(SEAT, EVENT, SUPPLIER, "Stalls", eur(35), eur(5), eur(20), eur(10), eur(0), eur(0))
    sold = SoldTicket(SEAT, EVENT, SUPPLIER, "Stalls", eur(35), eur(5), eur("3.50"), eur(0), eur(20))
    fee = ledger.provider_fee(eur("0.77"), shares=[CapturedShare(EVENT, SUPPLIER, "Stalls", eur("33.50"))])
    flows = sums([ledger.sale([sold]), ledger.cancellation([kept]), ledger.written_off([written_off]), fee])

    row = profit(flows, positions=flows, labels=LABELS, currency="EUR").totals

    assert (row.gross_sales, row.discounts, row.refunds, row.net_revenue) == (eur(35), eur(5), eur(30), eur(0))
    assert (row.cancellation_income, row.written_off_seats, row.written_off_cost) == (eur(20), 1, eur(12))
    assert (row.provider_fees, row.contribution) == (eur("0.77"), eur("10.73"))


def test_rows_stand_in_human_order_and_add_up_to_the_totals() -> None:
    flows = [
        GroupSum("Row 10", Account.TICKET_SALES, Decimal(-10), 1),
        GroupSum("Row 2", Account.TICKET_SALES, Decimal(-5), 2),
        GroupSum("Row 2", Account.SERVICE_FEES, Decimal(-1), 0),
    ]

    report = revenue(flows, labels={}, currency="EUR")

    assert [(row.label, row.gross_sales, row.tickets_sold) for row in report.rows] == [
        ("Row 2", eur(5), 2),
        ("Row 10", eur(10), 1),
    ]
    assert (report.totals.key, report.totals.label) == (None, "Total")
    assert (report.totals.net_revenue, report.totals.fees, report.totals.tickets_sold) == (eur(15), eur(1), 3)


def test_the_valuation_is_the_inventory_account_group_by_group() -> None:
    positions = [
        GroupSum("a", Account.TICKET_INVENTORY, Decimal("12.34"), 2),
        GroupSum("b", Account.TICKET_INVENTORY, Decimal(0), 0),
        GroupSum("c", Account.TICKET_INVENTORY, Decimal(0), 1),
        GroupSum("d", Account.COST_OF_SALES, Decimal(99), 1),
    ]

    report = valuation(positions, labels={}, currency="EUR")

    assert [(row.key, row.seats, row.value) for row in report.rows] == [("a", 2, eur("12.34")), ("c", 1, eur(0))]
    assert (report.totals.seats, report.totals.value) == (3, eur("12.34"))


def test_nothing_at_all_is_a_report_of_zeros() -> None:
    report = profit([], positions=[], labels={}, currency="JPY")

    assert report.rows == ()
    assert report.totals.contribution == Money.zero("JPY")
