"""The books on the screen: what happened, the trial balance, profit by event and by supplier, stock, and what is owed."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from demo.books import ZERO, Lists, Reports, amount, costs, prices, total
from demo.caller import Json
from demo.inputs import ZONE
from demo.month import Month
from demo.screen import Cell

AGES = ("not yet due", "1-30", "31-60", "61-90", "over 90")
STRETCH = 30
FIGURES = (
    ("sold", "tickets_sold"),
    ("back", "tickets_refunded"),
    ("net revenue", "net_revenue"),
    ("fees", "fees"),
    ("cost", "cost_of_sales"),
    ("gross profit", "gross_profit"),
    ("margin", "margin"),
    ("unsold", "unsold_seats"),
    ("contribution", "contribution"),
)


def print_month(month: Month, reports: Reports, lists: Lists) -> None:
    """What was bought, owned, sold, given back, owed and earned."""
    kept, given_back = lists.tickets("CONFIRMED"), lists.tickets("CANCELLED")
    cancelled = sum(line["cancelled_quantity"] for order in lists.orders for line in order["lines"])
    rejected = sum(line["rejected_quantity"] for order in lists.orders for line in order["lines"])
    open_amount = total(amount(bill["open_amount"]) for bill in lists.bills)
    rows: list[tuple[Cell, ...]] = [
        (
            "bought",
            len(lists.seats),
            costs(lists.seats),
            f"in {len(lists.receipts)} deliveries on {len(lists.orders)} orders",
        ),
        ("never came", cancelled + rejected, None, f"{rejected} not confirmed, {cancelled} cancelled"),
        ("owned and unsold", len(lists.stock), costs(lists.stock), "at their own cost"),
        (
            "sold",
            len(kept),
            prices(kept),
            f"in {len(lists.sold)} bookings, {month.lost_races} races for seats lost on the way",
        ),
        ("given back", len(given_back), prices(given_back), "fees kept"),
        ("written off", len(lists.written_off), costs(lists.written_off), "the matinee's unsold seats"),
        ("owed", None, open_amount, f"on {sum(bill['status'] != 'PAID' for bill in lists.bills)} open bills"),
        ("earned", None, amount(reports.profit["event"]["totals"]["contribution"]), "contribution of all events"),
    ]
    month.screen.table("The month", ("", "seats", "EUR", ""), rows)


def print_trial_balance(month: Month, reports: Reports) -> None:
    """Every account, and that it comes to nothing."""
    rows = [_account(row) for row in reports.trial_balance["rows"]]
    totals = reports.trial_balance["totals"]
    rows.append(("", "Total", *(amount(totals[side]) for side in ("debit", "credit", "balance"))))
    month.screen.table("Trial balance", ("account", "", "debit", "credit", "balance"), rows, totals=True)


def print_profit(month: Month, reports: Reports) -> None:
    """Profit by event and by supplier."""
    for by in ("event", "supplier"):
        report = reports.profit[by]
        rows = [_profit(row["label"], row) for row in report["rows"]]
        rows.append(_profit("Total", report["totals"]))
        header = (by, *(name for name, _ in FIGURES))
        month.screen.table(f"Profit by {by}", header, rows, totals=True)


def print_stock(month: Month, reports: Reports) -> None:
    """The valuation."""
    rows: list[tuple[Cell, ...]] = [(row["label"], row["seats"], amount(row["value"])) for row in reports.value["rows"]]
    totals = reports.value["totals"]
    rows.append(("Total", totals["seats"], amount(totals["value"])))
    month.screen.table("Valuation of unsold seats", ("event", "seats", "EUR"), rows, totals=True)


def print_ageing(month: Month, reports: Reports, lists: Lists) -> None:
    """Open bills by how long they have been due, from the bills."""
    names = {supplier["id"]: supplier["name"] for supplier in month.finance.everything("/api/suppliers")}
    open_by = ageing(reports, lists)
    rows: list[tuple[Cell, ...]] = [
        (names[supplier], *ages.values(), total(ages.values())) for supplier, ages in open_by.items()
    ]
    rows.sort(key=str)
    sums = [total(ages[one] for ages in open_by.values()) for one in AGES]
    rows.append(("Total", *sums, total(sums)))
    month.screen.table("Payables by age, in days past due", ("supplier", *AGES, "EUR"), rows, totals=True)


def ageing(reports: Reports, lists: Lists) -> Mapping[str, Mapping[str, Decimal]]:
    """What is open by supplier and age."""
    today = datetime.fromisoformat(reports.as_of).astimezone(ZONE).date()
    open_by: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(AGES, ZERO))
    for bill in lists.bills:
        open_by[bill["supplier_id"]][age(bill, today)] += amount(bill["open_amount"])
    return open_by


def age(bill: Json, today: date) -> str:
    """The stretch of days a bill is past due."""
    late = (today - date.fromisoformat(bill["due_date"])).days
    return AGES[0] if late <= 0 else AGES[min((late - 1) // STRETCH + 1, len(AGES) - 1)]


def _account(row: Json) -> tuple[Cell, ...]:
    return row["code"], row["name"], amount(row["debit"]), amount(row["credit"]), amount(row["balance"])


def _profit(label: str, row: Json) -> tuple[Cell, ...]:
    return label, *(_figure(row[name]) for _, name in FIGURES)


def _figure(value: object) -> Cell:
    """Money as a number, counts as they are, a ratio in percent."""
    if isinstance(value, dict):
        return amount(value)
    if isinstance(value, str):
        return f"{Decimal(value) * 100:.1f} %"
    return value if isinstance(value, int) else None
