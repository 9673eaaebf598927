"""/api/ledger: the trial balance and the journal, as finance reads them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from db.transaction import Database
from gateways.payments import SimulatedPayments
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal
from tests.makers.payments import our_side_of_a_provider
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
