"""Bills and payments over HTTP: due dates, what a payment meets, advances, and what the books say of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from db import history
from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_line, a_note, a_supplier, buying_in, eur
from tests.makers.callers import Caller, faults, refusal

PAYMENT = {"method": "BANK_TRANSFER", "reference": "SEPA-1"}


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def bills(buying: Buying, query: str = "") -> list[dict[str, Any]]:
    return buying.finance.everything(f"/api/accounts-payable?{query}")


def balances(buying: Buying) -> dict[str, Decimal]:
    """Debit positive, accounts at zero left out."""
    with buying.database.transaction(buying.tenant_id) as tx:
        rows = tx.dicts(
            "SELECT account, sum(amount) AS amount FROM journal_legs GROUP BY account HAVING sum(amount) <> 0"
        )
    return {row["account"]: row["amount"] for row in rows}


def pay_bill(buying: Buying, bill_id: str, **more: Any) -> Any:
    return buying.carried(buying.finance.post(f"/api/accounts-payable/{bill_id}/pay", {**PAYMENT, **more}))


def test_a_delivery_drafts_a_bill_by_the_orders_terms(buying: Buying) -> None:
    order = buying.confirmed()
    # Late in the evening of the 30th in UTC, the 31st in Berlin.
    operation = buying.received(order, "Parkett/A/1-4", delivered_at="2026-03-30T22:30:00Z")

    bill = buying.finance.read(f"/api/accounts-payable/{operation['result']['bill_id']}")

    assert (bill["amount"], bill["open_amount"], bill["status"]) == (eur("80.00"), eur("80.00"), "OPEN")
    assert (bill["bill_date"], bill["due_date"], bill["terms"]) == ("2026-03-31", "2026-04-30", "NET_30")
    assert (bill["receipt_id"], bill["purchase_order_id"]) == (operation["result"]["receipt_id"], order["id"])
    assert bill["number"].startswith("BILL-")
    assert balances(buying) == {"1200": Decimal("80.00"), "2100": Decimal("-80.00")}


def test_the_terms_on_a_bill_are_those_of_the_day_it_was_drafted(buying: Buying) -> None:
    order = buying.confirmed(payment_terms="NET_10")
    supplier = {
        "name": "Theater AG",
        "supplier_type": "VENUE_OWNER",
        "email": "t@example.org",
        "payment_terms": "NET_60",
    }
    buying.buyer.put(f"/api/suppliers/{buying.supplier_id}", supplier)

    buying.received(order, "Parkett/A/1-4", delivered_at="2026-03-01T12:00:00Z")

    (bill,) = bills(buying)
    assert (bill["terms"], bill["due_date"]) == ("NET_10", "2026-03-11")


def test_immediate_terms_are_due_at_once(buying: Buying) -> None:
    order = buying.confirmed(supplier_id=a_supplier(buying.buyer, payment_terms="IMMEDIATE"))

    buying.received(order, "Parkett/A/1", delivered_at="2026-03-01T12:00:00Z")

    (bill,) = bills(buying)
    assert (bill["due_date"], bill["status"]) == ("2026-03-01", "OPEN")


def test_a_bill_is_paid_in_parts_and_never_beyond(buying: Buying) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/1-5")["result"]["bill_id"]

    first = pay_bill(buying, bill_id, amount=eur("30.00"))
    partly = buying.finance.read(f"/api/accounts-payable/{bill_id}")
    second = pay_bill(buying, bill_id)
    whole = buying.finance.read(f"/api/accounts-payable/{bill_id}")
    beyond = buying.finance.post(f"/api/accounts-payable/{bill_id}/pay", PAYMENT)

    assert first["status"] == second["status"] == "succeeded"
    assert (partly["status"], partly["open_amount"], partly["can"]) == ("PARTIALLY_PAID", eur("70.00"), ["pay"])
    assert (whole["status"], whole["open_amount"], whole["can"]) == ("PAID", eur("0.00"), [])
    assert [one["amount"]["amount"] for one in whole["settlements"]] == ["30.00", "70.00"]
    assert refusal(beyond) == (409, "overpayment")
    assert balances(buying) == {"1200": Decimal("100.00"), "1000": Decimal("-100.00")}


def test_a_payment_above_what_is_open_is_refused(buying: Buying) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/1-5")["result"]["bill_id"]

    answer = buying.finance.post(f"/api/accounts-payable/{bill_id}/pay", {**PAYMENT, "amount": eur("100.01")})

    assert refusal(answer) == (409, "overpayment")
    assert answer.json()["open_amount"] == eur("100.00")


def test_the_slower_of_two_payments_of_a_bill_fails(buying: Buying) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/1-5")["result"]["bill_id"]
    asked = [buying.finance.post(f"/api/accounts-payable/{bill_id}/pay", PAYMENT) for _ in range(2)]

    ended = [buying.carried(answer) for answer in asked]

    assert [operation["status"] for operation in ended] == ["succeeded", "failed"]
    assert ended[1]["error"]["code"] == "overpayment"
    assert ended[1]["subject"]["object"] == "bill"


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"amount": eur("0.00")}, "invalid", "/amount/amount"),
        ({"amount": eur("-1.00")}, "invalid", "/amount/amount"),
        ({"amount": eur("1.001")}, "invalid", "/amount/amount"),
        ({"amount": {"amount": "1.00", "currency": "USD"}}, "currency_not_supported", "/amount/currency"),
        ({"paid_at": "2999-01-01T00:00:00Z"}, "invalid", "/paid_at"),
        ({"reference": ""}, "invalid", "/reference"),
    ],
)
def test_a_faulty_payment_is_refused_at_the_field(
    buying: Buying, more: dict[str, Any], code: str, pointer: str
) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/1")["result"]["bill_id"]

    answer = buying.finance.post(f"/api/accounts-payable/{bill_id}/pay", {**PAYMENT, **more})

    assert refusal(answer) == (422, code)
    assert [where for where, _ in faults(answer)] == [pointer]


def test_an_order_payment_meets_the_bill_that_is_due_first(buying: Buying) -> None:
    order = buying.confirmed()
    late = buying.received(order, "Parkett/A/1-2", reference="LS-1", delivered_at="2026-05-01T12:00:00Z")
    early = buying.received(order, "Parkett/A/3-4", reference="LS-2", delivered_at="2026-04-01T12:00:00Z")

    operation = buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("50.00")})

    assert [(one["bill_id"], one["amount"]["amount"]) for one in operation["result"]["bills"]] == [
        (early["result"]["bill_id"], "40.00"),
        (late["result"]["bill_id"], "10.00"),
    ]
    assert buying.order(order["id"])["open_amount"] == eur("30.00")


def test_what_goes_beyond_the_bills_is_an_advance_that_later_bills_use_up(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/1-2", reference="LS-1")

    paid = buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("100.00")})
    advance = balances(buying)
    buying.received(order, "Parkett/A/3-4", reference="LS-2")
    buying.received(order, "Parkett/A/5-8", reference="LS-3")

    assert paid["result"]["advance_amount"] == eur("60.00")
    assert advance == {"1200": Decimal("40.00"), "1300": Decimal("60.00"), "1000": Decimal("-100.00")}
    assert [(bill["status"], bill["open_amount"]["amount"]) for bill in bills(buying)] == [
        ("PARTIALLY_PAID", "60.00"),
        ("PAID", "0.00"),
        ("PAID", "0.00"),
    ]
    assert balances(buying) == {"1200": Decimal("160.00"), "2100": Decimal("-60.00"), "1000": Decimal("-100.00")}
    assert [one["advance_open"]["amount"] for one in buying.order(order["id"])["payments"]] == ["0.00"]


def test_an_advance_has_room_up_to_what_was_confirmed(buying: Buying) -> None:
    order = buying.confirmed()

    beyond = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("200.01")})
    buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("150.00")})
    rest = buying.ask(order["id"], "pay", {**PAYMENT, "amount": eur("50.01")})
    buying.done(order["id"], "pay", PAYMENT)
    nothing = buying.ask(order["id"], "pay", PAYMENT)

    assert refusal(beyond) == refusal(rest) == (409, "overpayment")
    assert refusal(nothing) == (409, "nothing_to_pay")
    assert balances(buying) == {"1300": Decimal("200.00"), "1000": Decimal("-200.00")}


def test_an_advance_stays_a_claim_when_the_order_is_cancelled(buying: Buying) -> None:
    order = buying.confirmed()
    buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("150.00")})

    buying.done(order["id"], "cancel", {"reason": "Tour off"})

    assert balances(buying)["1300"] == Decimal("150.00")
    assert refusal(buying.ask(order["id"], "pay", PAYMENT)) == (409, "wrong_state")


def test_a_payment_of_all_that_is_open_never_becomes_an_advance(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/1-2")
    asked = [buying.ask(order["id"], "pay", PAYMENT) for _ in range(2)]

    ended = [buying.carried(answer) for answer in asked]

    assert [operation["status"] for operation in ended] == ["succeeded", "failed"]
    assert ended[1]["error"]["code"] == "overpayment"
    assert "1300" not in balances(buying)


def test_a_paid_and_completed_order_says_so(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/*")
    buying.done(order["id"], "pay", PAYMENT)

    found = buying.order(order["id"])

    assert (found["status"], found["bill_status"], found["open_amount"]) == ("COMPLETED", "PAID", eur("0.00"))


def test_bills_are_filtered_by_status_supplier_and_due_date(buying: Buying) -> None:
    other = a_supplier(buying.buyer, payment_terms="NET_60")
    mine, theirs = buying.confirmed(), buying.confirmed(supplier_id=other)
    first = buying.received(mine, "Parkett/A/1", delivered_at="2026-03-01T12:00:00Z")["result"]["bill_id"]
    second = buying.received(theirs, "Parkett/A/2", delivered_at="2026-03-01T12:00:00Z")["result"]["bill_id"]
    pay_bill(buying, first)

    def found(query: str) -> list[str]:
        return [bill["id"] for bill in bills(buying, query)]

    assert found("") == [second, first]
    assert found("status=PAID") == [first]
    assert found("status=OPEN&status=PARTIALLY_PAID") == [second]
    assert found(f"supplier_id={other}") == [second]
    assert found("due_before=2026-03-31") == []
    assert found("due_before=2026-04-01") == [first]


@pytest.mark.parametrize("day", ["0", "86400", "2026-11-20T00:00:00", "20261120"])
def test_the_day_a_bill_is_due_before_is_written_as_a_day(buying: Buying, day: str) -> None:
    answer = buying.finance.get("/api/accounts-payable", params={"due_before": day})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("?due_before", "invalid")])


def test_a_bills_history_begins_with_what_an_advance_left_of_it(buying: Buying) -> None:
    order = buying.confirmed()
    buying.done(order["id"], "pay", {**PAYMENT, "amount": eur("30.00")})
    bill_id = buying.received(order, "Parkett/A/1-2")["result"]["bill_id"]
    pay_bill(buying, bill_id)

    with buying.database.transaction(buying.tenant_id) as tx:
        told = [(change.from_status, change.to_status) for change in history.of(tx, UUID(bill_id))]

    assert told == [(None, "PARTIALLY_PAID"), ("PARTIALLY_PAID", "PAID")]


def test_a_payment_has_the_day_it_was_made(buying: Buying) -> None:
    bill_id = buying.received(
        buying.confirmed(), "Parkett/A/1", delivered_at=(datetime.now(UTC) - timedelta(days=9)).isoformat()
    )["result"]["bill_id"]

    pay_bill(buying, bill_id, paid_at="2026-11-01T12:00:00Z")

    with buying.database.transaction(buying.tenant_id) as tx:
        days = tx.values("SELECT DISTINCT accounting_date FROM journal_legs WHERE kind = 'BILL_PAID'")
    assert days == [date(2026, 11, 1)]


def test_a_gift_makes_a_bill_of_nothing_that_is_paid(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=2, unit_price="0.00"))

    operation = buying.received(order, "Parkett/A/1-2")

    bill = buying.finance.read(f"/api/accounts-payable/{operation['result']['bill_id']}")
    assert (bill["amount"], bill["status"]) == (eur("0.00"), "PAID")
    assert buying.order(order["id"])["bill_status"] == "PAID"
    assert balances(buying) == {}


def test_buyers_look_at_bills_and_finance_pays(buying: Buying, boxoffice: Caller, stranger: Caller) -> None:
    bill_id = buying.received(buying.confirmed(), "Parkett/A/1")["result"]["bill_id"]
    path = f"/api/accounts-payable/{bill_id}"

    assert buying.buyer.get(path).status_code == 200
    assert refusal(buying.buyer.post(f"{path}/pay", PAYMENT)) == (403, "forbidden")
    assert refusal(boxoffice.get(path)) == (403, "forbidden")
    assert refusal(stranger.post(f"{path}/pay", PAYMENT)) == (404, "not_found")


def test_legs_are_one_per_event_supplier_and_section_with_seats_behind_them(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/1-4", "Parkett/B/1")

    with buying.database.transaction(buying.tenant_id) as tx:
        legs = tx.dicts("SELECT section, quantity, amount FROM journal_legs WHERE account = '1200'")
        moves = tx.dicts("SELECT count(*) AS seats, sum(cost) AS cost FROM seat_movements WHERE account = '1200'")

    assert [(leg["section"], leg["quantity"], leg["amount"]) for leg in legs] == [("Parkett", 5, Decimal("100.00"))]
    assert moves == [{"seats": 5, "cost": Decimal("100.00")}]


def test_a_note_of_a_refused_delivery_leaves_nothing(buying: Buying) -> None:
    first, second = buying.confirmed(), buying.confirmed()
    asked = [buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-4")) for order in (first, second)]

    ended = [buying.carried(answer) for answer in asked]

    assert [operation["status"] for operation in ended] == ["succeeded", "failed"]
    assert ended[1]["error"]["code"] == "seat_already_owned"
    assert buying.order(second["id"])["receipts"] == []
    assert balances(buying) == {"1200": Decimal("80.00"), "2100": Decimal("-80.00")}
