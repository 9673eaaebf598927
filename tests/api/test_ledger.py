"""/api/ledger: the trial balance and the journal, as finance reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.upkeep import close_event
from db.transaction import Database
from gateways.payments import SimulatedPayments
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal
from tests.makers.payments import our_side_of_a_provider
from tests.makers.selling import Shop, captured, refunded
from tests.makers.trade import Stock, a_cancellation, a_sale, a_stock, paid

BALANCE, ENTRIES = "/api/ledger/trial-balance", "/api/ledger/entries"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as ours:
        yield ours


@pytest.fixture
def stock(database: Database, tenant: Agency) -> Stock:
    return a_stock(database, tenant)


@pytest.fixture
def booking(database: Database, tenant: Agency, stock: Stock, provider: SimulatedPayments) -> str:
    """Three seats sold, one of them given back; the booking's id."""
    booking_id = a_sale(database, stock, stock.seats[:3], provider=provider)
    a_cancellation(database, tenant.id, booking_id, provider=provider, tickets=1)
    return str(booking_id)


def amounts(rows: list[dict[str, Any]], name: str) -> dict[str, Decimal]:
    return {row["code"]: Decimal(row[name]["amount"]) for row in rows}


def test_debits_and_credits_are_the_same(finance: Caller, booking: str) -> None:
    told = finance.read(BALANCE)

    debit, credit, balance = (amounts(told["rows"], name) for name in ("debit", "credit", "balance"))
    assert sum(debit.values()) == sum(credit.values()) > 0
    assert {code: debit[code] - credit[code] for code in debit} == balance
    assert told["totals"]["balance"] == {"amount": "0.00", "currency": "EUR"}


def test_the_reports_are_the_accounts(finance: Caller, booking: str) -> None:
    profit = finance.read("/api/sales/reports/profit")
    balance = amounts(finance.read(BALANCE, params={"as_of": profit["as_of"]})["rows"], "balance")

    told = {name: Decimal(value["amount"]) for name, value in profit["totals"].items() if isinstance(value, dict)}

    assert (told["gross_sales"], told["refunds"], told["fees"]) == (-balance["4000"], balance["4090"], -balance["4100"])
    assert (told["cost_of_sales"], told["unsold_cost"]) == (balance["5000"], balance["1200"])


def test_a_row_names_its_account(finance: Caller, stock: Stock) -> None:
    rows = finance.read(BALANCE)["rows"]

    assert rows[0] == {
        "code": "1200",
        "name": "Ticket inventory",
        "currency": "EUR",
        "debit": {"amount": "200.00", "currency": "EUR"},
        "credit": {"amount": "0.00", "currency": "EUR"},
        "balance": {"amount": "200.00", "currency": "EUR"},
    }


def test_the_future_has_no_balance(finance: Caller) -> None:
    answer = finance.get(BALANCE, params={"as_of": "2999-01-01"})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("?as_of", "invalid")])


def test_an_entry_says_what_why_who_and_when(finance: Caller, booking: str, tenant: Agency) -> None:
    entry = next(one for one in finance.everything(ENTRIES) if one["kind"] == "CANCELLATION")

    assert (entry["object"], entry["subject"]["object"], entry["subject"]["id"]) == (
        "journal_entry",
        "booking",
        booking,
    )
    assert (entry["reason"], entry["by"], entry["reverses_id"]) == ("CUSTOMER_REQUEST", "box office", None)
    assert entry["occurred_at"].endswith("Z")
    legs = {leg["account"]: (leg["debit"]["amount"], leg["credit"]["amount"], leg["quantity"]) for leg in entry["legs"]}
    assert legs == {
        "1200": ("20.00", "0.00", 1),
        "2200": ("0.00", "35.00", 0),
        "4090": ("35.00", "0.00", 1),
        "5000": ("0.00", "20.00", -1),
    }


def test_a_booking_has_its_own_entries(finance: Caller, booking: str) -> None:
    number = finance.read(f"/api/bookings/{booking}")["booking_number"]

    by_id = finance.read(ENTRIES, params={"subject": booking})["data"]
    by_number = finance.read(ENTRIES, params={"subject": number.lower()})["data"]

    assert [entry["kind"] for entry in by_id] == ["REFUND_SETTLED", "CANCELLATION", "CAPTURED", "SALE"]
    assert by_number == by_id


def test_an_order_has_those_of_its_deliveries_bills_and_payments(
    finance: Caller, database: Database, tenant: Agency, stock: Stock
) -> None:
    paid(database, tenant, stock.order_id)

    entries = finance.read(ENTRIES, params={"subject": str(stock.order_id)})["data"]

    assert [entry["kind"] for entry in entries] == ["BILL_PAID", "BILL_DRAFTED", "DELIVERY"]


def kinds(finance: Caller, subject: object) -> list[str]:
    return [entry["kind"] for entry in finance.read(ENTRIES, params={"subject": str(subject)})["data"]]


def id_of(database: Database, tenant: Agency, table: str, **where: object) -> str:
    """The id of the one row of a table that has this."""
    ((name, value),) = where.items()
    with database.transaction(tenant.id) as tx:
        (found,) = tx.values(f"SELECT id FROM {table} WHERE {name} = %s", (value,))
    return str(found)


def test_a_payment_has_what_it_paid_and_what_of_it_went_back(
    finance: Caller, database: Database, tenant: Agency, booking: str, stock: Stock, provider: SimulatedPayments
) -> None:
    a_sale(database, stock, stock.seats[3:5], provider=provider)

    payment = id_of(database, tenant, "payments", booking_id=booking)

    assert kinds(finance, payment) == ["REFUND_SETTLED", "CAPTURED", "SALE"]


def test_a_refund_has_why_it_is_due_and_its_settlement(
    finance: Caller, database: Database, tenant: Agency, booking: str
) -> None:
    refund = id_of(database, tenant, "refunds", booking_id=booking)
    cancellation = id_of(database, tenant, "cancellations", booking_id=booking)

    assert kinds(finance, refund) == ["REFUND_SETTLED", "CANCELLATION"]
    assert kinds(finance, cancellation) == ["CANCELLATION"]


def test_late_money_is_found_by_its_payment_and_by_its_refund(
    finance: Caller, database: Database, tenant: Agency, stock: Stock
) -> None:
    shop = Shop(database, stock)
    booking_id = shop.basket(1, 2)
    payment_id = shop.pay(booking_id)
    shop.lapse(booking_id)
    shop.sold(2)
    refund_id = shop.settle(payment_id, captured()).refund_id
    assert refund_id is not None
    shop.refund(refund_id, refunded())

    assert kinds(finance, payment_id) == ["REFUND_SETTLED", "LATE_REFUNDABLE", "LATE_MONEY"]
    assert kinds(finance, refund_id) == ["REFUND_SETTLED", "LATE_REFUNDABLE"]


def test_a_bill_has_what_paid_it_and_not_what_was_paid_beyond_it(
    finance: Caller, database: Database, tenant: Agency, stock: Stock
) -> None:
    paid(database, tenant, stock.order_id)
    a_stock(database, tenant, title="Hamlet", supplier="Somebody else")

    assert kinds(finance, stock.bill_id) == ["BILL_PAID", "BILL_DRAFTED"]
    assert kinds(finance, stock.receipt_id) == ["BILL_DRAFTED", "DELIVERY"]


def test_a_supplier_has_the_entries_of_every_order(
    finance: Caller, database: Database, tenant: Agency, stock: Stock
) -> None:
    paid(database, tenant, stock.order_id)
    a_stock(database, tenant, title="Hamlet", supplier_id=stock.supplier_id)
    a_stock(database, tenant, title="Macbeth", supplier="Somebody else")

    assert kinds(finance, stock.supplier_id) == [
        "BILL_DRAFTED",
        "DELIVERY",
        "BILL_PAID",
        "BILL_DRAFTED",
        "DELIVERY",
    ]


def test_an_event_has_every_entry_with_a_leg_of_it(
    finance: Caller, database: Database, tenant: Agency, booking: str, stock: Stock
) -> None:
    other = a_stock(database, tenant, title="Hamlet", starts_in=-timedelta(hours=4))
    with database.transaction(tenant.id) as tx:
        close_event(tx, other.event_id)

    assert kinds(finance, stock.event_id) == ["CANCELLATION", "SALE", "DELIVERY"]
    assert kinds(finance, other.event_id) == ["WRITTEN_OFF", "DELIVERY"]


def test_what_a_subject_names_is_found_a_page_at_a_time(finance: Caller, booking: str, stock: Stock) -> None:
    subject = {"subject": str(stock.event_id), "limit": 2}

    first = finance.read(ENTRIES, params=subject)
    second = finance.read(ENTRIES, params={**subject, "after": first["next"]})

    assert [entry["kind"] for entry in [*first["data"], *second["data"]]] == ["CANCELLATION", "SALE", "DELIVERY"]
    assert (first["has_more"], second["has_more"]) == (True, False)


@pytest.mark.parametrize("subject", ["01a1fdb2-3b53-7235-9ebd-a11f1c0f874d", "BK-2026-99999", "nobody knows"])
def test_an_unknown_subject_has_no_entries(finance: Caller, booking: str, subject: str) -> None:
    assert finance.read(ENTRIES, params={"subject": subject})["data"] == []


def test_entries_come_newest_first_a_page_at_a_time(finance: Caller, booking: str) -> None:
    whole = finance.everything(ENTRIES)

    first = finance.read(ENTRIES, params={"limit": 2})
    second = finance.read(ENTRIES, params={"limit": 2, "after": first["next"]})

    assert [*first["data"], *second["data"]] == whole[:4]
    assert [entry["number"] for entry in whole] == sorted((entry["number"] for entry in whole), reverse=True)


def test_days_bound_the_entries(finance: Caller, stock: Stock) -> None:
    day = finance.everything(ENTRIES)[0]["accounting_date"]

    assert finance.read(ENTRIES, params={"from": day, "to": day})["data"] != []
    assert finance.read(ENTRIES, params={"to": "2026-01-01"})["data"] == []
    assert faults(finance.get(ENTRIES, params={"from": "2026-02-01", "to": "2026-01-01"})) == [("?from", "invalid")]


@pytest.mark.parametrize("end", ["from", "to"])
@pytest.mark.parametrize(
    "day", ["0", "86400", "2026-11-20T00:00:00", "20261120", "2026-W47-5", "2026-02-30", " 2026-11-20"]
)
def test_a_day_is_written_as_a_day(finance: Caller, end: str, day: str) -> None:
    answer = finance.get(ENTRIES, params={end: day})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [(f"?{end}", "invalid")])


@pytest.mark.parametrize("after", ["x", "eA", "LTE", "dHJ1ZQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
def test_a_strange_cursor_is_refused(finance: Caller, after: str) -> None:
    assert refusal(finance.get(ENTRIES, params={"after": after})) == (422, "invalid")


@pytest.mark.parametrize("path", [BALANCE, ENTRIES])
def test_the_ledger_is_for_owner_and_finance(
    owner: Caller, finance: Caller, buyer: Caller, boxoffice: Caller, anonymous: Caller, path: str
) -> None:
    answers = [caller.get(path).status_code for caller in (owner, finance, buyer, boxoffice, anonymous)]

    assert answers == [200, 200, 403, 403, 401]


def test_the_stranger_has_a_ledger_of_their_own(stranger: Caller, booking: str) -> None:
    assert stranger.read(BALANCE)["rows"] == []
    assert stranger.read(ENTRIES, params={"subject": booking})["data"] == []
