"""Where the two sides must meet: each figure from the journal, and the same figure from the things themselves."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from demo.books import ZERO, Lists, Reports, Sums, amount, costs, grouped, prices, total
from demo.caller import Json
from demo.month import Checks, Month
from demo.printing import ageing


def check_books(month: Month, reports: Reports, lists: Lists) -> None:
    """Every comparison; each says whether it holds."""
    checks = month.checks
    _journal(checks, reports)
    _stock(checks, reports, lists)
    _purchases(month, reports, lists)
    _payables(month, reports, lists)
    _sales(checks, reports, lists)
    _money(checks, reports, lists)
    _rows(checks, reports, lists)
    _availability(month, lists)


def _journal(checks: Checks, reports: Reports) -> None:
    rows = reports.trial_balance["rows"]
    checks.same("Trial balance", debit=total(amount(row["debit"]) for row in rows), credit=_credits(rows))
    checks.same("Trial balance sums", rows=total(amount(row["balance"]) for row in rows), zero=ZERO)
    for code, words in (
        ("1110", "Confirmed and not captured"),
        ("2110", "Received and not billed"),
        ("2200", "Refunds on their way"),
        ("2210", "Late money not decided"),
    ):
        checks.same(f"{words} ({code})", journal=reports.balance(code), nothing=ZERO)


def _credits(rows: list[Json]) -> Decimal:
    return total(amount(row["credit"]) for row in rows)


def _stock(checks: Checks, reports: Reports, lists: Lists) -> None:
    checks.same(
        "Ticket inventory (1200)",
        journal=reports.balance("1200"),
        valuation=amount(reports.value["totals"]["value"]),
        seats=costs(lists.stock),
    )
    totals = reports.profit["event"]["totals"]
    checks.same(
        "Seats in stock",
        valuation=reports.value["totals"]["seats"],
        profit_report=totals["unsold_seats"],
        seats=len(lists.stock),
    )
    checks.same("Written off (5200)", journal=reports.balance("5200"), seats=costs(lists.written_off))
    checks.same("Seats written off", profit_report=totals["written_off_seats"], seats=len(lists.written_off))


def _purchases(month: Month, reports: Reports, lists: Lists) -> None:
    checks, totals = month.checks, reports.profit["event"]["totals"]
    delivered = sum(one.received for one in month.inputs.deliveries if not one.refused and not one.again)
    lines = [line for order in lists.orders for line in order["lines"]]
    checks.same(
        "Seats delivered",
        delivery_notes=delivered,
        receipts=sum(line["quantity"] for receipt in lists.receipts for line in receipt["lines"]),
        order_lines=sum(line["received_quantity"] for line in lines),
        owned_seats=len(lists.seats),
    )
    booked = reports.balance("1200") + reports.balance("5000") + reports.balance("5200")
    checks.same(
        "Bought",
        journal=booked,
        receipts=total(amount(receipt["total_amount"]) for receipt in lists.receipts),
        bills=total(amount(bill["amount"]) for bill in lists.bills),
        seats=costs(lists.seats),
    )
    checks.same(
        "Every bought seat is sold, in stock or written off",
        profit_report=totals["tickets_sold"]
        - totals["tickets_refunded"]
        + totals["unsold_seats"]
        + totals["written_off_seats"],
        seats=len(lists.seats),
    )


def _payables(month: Month, reports: Reports, lists: Lists) -> None:
    checks = month.checks
    paid_out = total(Decimal(one["amount"]) for one in month.paid_out)
    settled = total(amount(bill["amount"]) - amount(bill["open_amount"]) for bill in lists.bills)
    open_bills = total(amount(bill["open_amount"]) for bill in lists.bills)
    by_age = total(total(ages.values()) for ages in ageing(reports, lists).values())
    checks.same("Owed to suppliers (2100)", journal=-reports.balance("2100"), bills=open_bills, by_age=by_age)
    checks.same("Advances not used (1300)", journal=reports.balance("1300"), payments_less_bills=paid_out - settled)
    checks.same("Paid to suppliers (1000)", journal=-reports.balance("1000"), payments=paid_out)


def _sales(checks: Checks, reports: Reports, lists: Lists) -> None:
    totals = reports.profit["event"]["totals"]
    kept, given_back = lists.tickets("CONFIRMED"), lists.tickets("CANCELLED")
    checks.same(
        "Tickets sold and kept",
        profit_report=totals["tickets_sold"] - totals["tickets_refunded"],
        tickets=len(kept),
        seats=len(lists.sold_seats),
        bookings=sum(one["ticket_count"] for one in lists.sold),
    )
    checks.same("Tickets given back", profit_report=totals["tickets_refunded"], tickets=len(given_back))
    checks.same("Gross sales (4000)", journal=-reports.balance("4000"), tickets=prices(kept + given_back))
    checks.same("Refunds (4090)", journal=reports.balance("4090"), tickets=prices(given_back))
    fees = total(amount(one["service_fee"]) for one in lists.sold)
    checks.same("Service fees (4100)", journal=-reports.balance("4100"), bookings=fees)
    checks.same("Cost of sales (5000)", journal=reports.balance("5000"), seats=costs(lists.sold_seats))
    checks.same(
        "Gross profit",
        profit_report=amount(totals["gross_profit"]),
        tickets_less_seats=prices(kept) - costs(lists.sold_seats),
    )
    earned = prices(kept) - costs(lists.sold_seats) + fees - costs(lists.written_off)
    less_provider = earned - reports.balance("6100")
    checks.same("Contribution", profit_report=amount(totals["contribution"]), tickets_seats_fees=less_provider)


def _money(checks: Checks, reports: Reports, lists: Lists) -> None:
    paid = total(amount(one["paid"]) for one in lists.bookings)
    refunded = total(amount(one["refunded"]) for one in lists.bookings)
    checks.same(
        "Money at the provider (1100)",
        journal=reports.balance("1100"),
        bookings=paid - refunded - reports.balance("6100"),
    )
    keeps = total(amount(one["total_amount"]) for one in lists.sold)
    checks.same("Kept of what customers paid", paid_less_refunded=paid - refunded, booking_totals=keeps)


def _rows(checks: Checks, reports: Reports, lists: Lists) -> None:
    """Row by row: cost and stock by event, supplier and section; sales by event."""
    for by, field in (("event", "event_id"), ("supplier", "supplier_id")):
        rows = {row["key"]: row for row in reports.profit[by]["rows"]}
        _each(checks, f"cost of sales by {by}", rows, "cost_of_sales", grouped(lists.sold_seats, field, "cost"))
        _each(checks, f"unsold cost by {by}", rows, "unsold_cost", grouped(lists.stock, field, "cost"))
    rows = {row["key"]: row for row in reports.profit["event"]["rows"]}
    tickets = lists.tickets("CONFIRMED", "CANCELLED")
    _each(checks, "gross sales by event", rows, "gross_sales", grouped(tickets, "event_id", "price"))
    for figure in ("gross_sales", "net_revenue", "fees", "cost_of_sales", "gross_profit", "contribution"):
        sums = {by: total(amount(row[figure]) for row in report["rows"]) for by, report in reports.profit.items()}
        checks.same(f"Sum of {figure.replace('_', ' ')}", **{f"by_{by}": value for by, value in sums.items()})


def _each(checks: Checks, words: str, rows: Mapping[str, Json], figure: str, wanted: Sums) -> None:
    for key, row in rows.items():
        checks.expect(f"{words}, {row['label']}", amount(row[figure]), wanted=wanted.get(key, ZERO))
    checks.expect(f"{words}: rows", sorted(set(wanted) - set(rows)), wanted=[])


def _availability(month: Month, lists: Lists) -> None:
    counted: dict[str, Callable[[list[Json]], int]] = {
        "owned": len,
        "sold": lambda seats: sum(seat["status"] == "SOLD" for seat in seats),
        "available": lambda seats: sum(seat["status"] == "AVAILABLE" for seat in seats),
    }
    for key, event_id in month.events.items():
        found = month.boxoffice.get(f"/api/events/{event_id}/availability")
        seats = [seat for seat in lists.seats if seat["event_id"] == event_id]
        for name, count in counted.items():
            month.checks.expect(f"{key}: seats {name}", found[name], wanted=count(seats))
