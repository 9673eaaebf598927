"""/api/purchase-orders: drafts, the supplier's answer, cancelling, and lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_line, a_note, a_supplier, buying_in, eur
from tests.makers.callers import Caller, faults, refusal


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def test_a_draft_has_a_number_lines_and_totals(buying: Buying) -> None:
    lines = [
        a_line(buying.event_id, quantity=3, unit_price="33.3333"),
        a_line(buying.event_id, retail_price=eur("35.00")),
    ]

    order = buying.draft(*lines, reference="Spring")

    assert order["po_number"].startswith("PO-")
    assert (order["status"], order["receipt_status"], order["bill_status"]) == ("DRAFT", "NOT_RECEIVED", "NOT_BILLED")
    assert [line["line_total"]["amount"] for line in order["lines"]] == ["100.00", "200.00"]
    assert order["total_amount"] == eur("300.00")
    assert [line["unit_price"]["amount"] for line in order["lines"]] == ["33.3333", "20.00"]
    assert order["payment_terms"] == "NET_30"
    assert order["can"] == ["edit", "delete", "submit"]
    assert [(change["from"], change["to"]) for change in order["history"]] == [(None, "DRAFT")]


def test_an_order_is_read_by_its_number(buying: Buying) -> None:
    order = buying.draft()

    assert buying.order(order["po_number"]) == buying.order(order["id"])


def test_unknown_ids_are_named_together(buying: Buying) -> None:
    body = {"supplier_id": str(uuid4()), "fulfillment_method": "PDF_DELIVERY", "lines": [a_line(str(uuid4()))]}

    answer = buying.buyer.post("/api/purchase-orders", body)

    assert refusal(answer) == (422, "unknown_id")
    assert faults(answer) == [("/supplier_id", "unknown_id"), ("/lines/0/event_id", "unknown_id")]


@pytest.mark.parametrize(
    ("line", "more", "code", "pointer"),
    [
        ({}, {"currency": "USD"}, "currency_not_supported", "/currency"),
        ({"unit_price": {"amount": "20.00", "currency": "USD"}}, {}, "currency_not_supported", "/lines/0/unit_price"),
        ({"unit_price": eur("-1.00")}, {}, "invalid", "/lines/0/unit_price"),
        ({"retail_price": eur("35.001")}, {}, "invalid", "/lines/0/retail_price"),
        ({"seats": ["Parkett/A/10-1"]}, {}, "invalid_selector", "/lines/0/seats/0"),
        ({"seats": ["Parkett/A/1", "Parkett/A/11"]}, {}, "no_such_seat", "/lines/0/seats/1"),
        ({"seats": ["Parkett/A/1", "Parkett/A/1-3"]}, {}, "duplicate_seat", "/lines/0/seats/1"),
        ({"quantity": 0}, {}, "invalid", "/lines/0/quantity"),
        ({"quantity": "10"}, {}, "invalid", "/lines/0/quantity"),
        ({"colour": "red"}, {}, "unknown_field", "/lines/0/colour"),
        ({}, {"payment_terms": "SOON"}, "invalid", "/payment_terms"),
    ],
)
def test_a_faulty_draft_is_refused_at_the_field(
    buying: Buying, line: dict[str, object], more: dict[str, object], code: str, pointer: str
) -> None:
    body = {
        "supplier_id": buying.supplier_id,
        "fulfillment_method": "PDF_DELIVERY",
        "lines": [{**a_line(buying.event_id), **line}],
        **more,
    }

    answer = buying.buyer.post("/api/purchase-orders", body)

    assert refusal(answer) == (422, code)
    assert pointer in [where for where, _ in faults(answer)]


def test_a_deactivated_supplier_takes_no_new_orders_but_old_ones_go_on(buying: Buying) -> None:
    order = buying.confirmed()
    buying.buyer.delete(f"/api/suppliers/{buying.supplier_id}")

    body = {"supplier_id": buying.supplier_id, "fulfillment_method": "WILL_CALL", "lines": [a_line(buying.event_id)]}
    answer = buying.buyer.post("/api/purchase-orders", body)

    assert refusal(answer) == (409, "supplier_inactive")
    assert buying.received(order, "Parkett/A/*")["result"]["received"] == 10


def test_a_draft_is_replaced_by_who_has_read_it_last(buying: Buying) -> None:
    order = buying.draft()
    path = f"/api/purchase-orders/{order['id']}"
    tag = buying.buyer.get(path).headers["etag"]
    body = {
        "supplier_id": buying.supplier_id,
        "fulfillment_method": "WILL_CALL",
        "lines": [a_line(buying.event_id, quantity=4)],
    }

    assert refusal(buying.buyer.put(path, body)) == (428, "precondition_required")
    changed = buying.buyer.put(path, body, headers={"If-Match": tag})
    again = buying.buyer.put(path, body, headers={"If-Match": tag})

    assert changed.status_code == 200
    assert (changed.json()["total_amount"], changed.json()["version"]) == (eur("80.00"), 2)
    assert refusal(again) == (412, "version_mismatch")


def test_only_a_draft_is_changed_or_deleted(buying: Buying) -> None:
    order = buying.pending()
    path = f"/api/purchase-orders/{order['id']}"
    body = {"supplier_id": buying.supplier_id, "fulfillment_method": "WILL_CALL", "lines": [a_line(buying.event_id)]}

    assert refusal(buying.buyer.put(path, body, headers={"If-Match": "*"})) == (409, "wrong_state")
    assert refusal(buying.buyer.delete(path)) == (409, "wrong_state")


def test_a_deleted_draft_is_gone(buying: Buying) -> None:
    order = buying.draft()

    assert buying.buyer.delete(f"/api/purchase-orders/{order['id']}").status_code == 204
    assert refusal(buying.buyer.get(f"/api/purchase-orders/{order['id']}")) == (404, "not_found")


def test_submitting_is_an_operation_that_is_queued_at_once(buying: Buying) -> None:
    order = buying.draft()

    answer = buying.ask(order["id"], "submit")

    operation = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/operations/{operation['id']}")
    assert (operation["status"], operation["kind"]) == ("queued", "purchase_order.submit")
    assert operation["subject"]["number"] == order["po_number"]
    assert buying.order(order["id"])["status"] == "DRAFT"


def test_a_submitted_order_is_pending_and_its_paper_goes_to_the_supplier(buying: Buying) -> None:
    order = buying.pending()

    with buying.database.transaction(buying.tenant_id) as tx:
        mails = tx.dicts("SELECT payload FROM outbox WHERE kind = 'MAIL'")
        papers = tx.values("SELECT kind FROM documents")

    assert (order["status"], order["can"]) == ("PENDING", ["confirm", "cancel"])
    assert [(mail["payload"]["letter"], mail["payload"]["to"]) for mail in mails] == [
        ("order_to_supplier", "orders@theater.example")
    ]
    assert papers == ["purchase_order"]


def test_submitting_twice_is_refused_by_whoever_comes_second(buying: Buying) -> None:
    order = buying.draft()
    first, second = buying.ask(order["id"], "submit"), buying.ask(order["id"], "submit")

    ended = [buying.carried(answer) for answer in (first, second)]

    assert [operation["status"] for operation in ended] == ["succeeded", "failed"]
    assert ended[1]["error"]["code"] == "wrong_state"
    assert refusal(buying.ask(order["id"], "submit")) == (409, "wrong_state")


def test_a_draft_deleted_before_its_submission_arrives_ends_the_operation(buying: Buying) -> None:
    order = buying.draft()
    asked = buying.ask(order["id"], "submit")
    buying.buyer.delete(f"/api/purchase-orders/{order['id']}")

    operation = buying.carried(asked)

    assert (operation["status"], operation["error"]["code"]) == ("failed", "not_found")


def test_what_the_supplier_does_not_confirm_counts_as_rejected(buying: Buying) -> None:
    order = buying.pending(a_line(buying.event_id), a_line(buying.event_id))
    lines = [{"line_id": order["lines"][0]["id"], "confirmed_quantity": 7}]

    buying.done(order["id"], "confirm", {"supplier_reference": "AB-1", "lines": lines})

    found = buying.order(order["id"])
    assert (found["status"], found["supplier_reference"]) == ("CONFIRMED", "AB-1")
    assert [(line["confirmed_quantity"], line["rejected_quantity"]) for line in found["lines"]] == [(7, 3), (10, 0)]
    assert [change["to"] for change in found["history"]] == ["DRAFT", "PENDING", "CONFIRMED"]


def test_a_line_confirmed_with_nothing_is_rejected(buying: Buying) -> None:
    order = buying.pending(a_line(buying.event_id), a_line(buying.event_id))
    lines = [{"line_id": order["lines"][0]["id"], "confirmed_quantity": 0}]

    buying.done(order["id"], "confirm", {"lines": lines})

    assert [line["status"] for line in buying.order(order["id"])["lines"]] == ["REJECTED", "CONFIRMED"]


def test_a_confirmation_of_nothing_is_refused(buying: Buying) -> None:
    order = buying.pending()
    line_id = order["lines"][0]["id"]

    nothing = buying.ask(order["id"], "confirm", {"lines": [{"line_id": line_id, "confirmed_quantity": 0}]})
    too_many = buying.ask(order["id"], "confirm", {"lines": [{"line_id": line_id, "confirmed_quantity": 11}]})
    unknown = buying.ask(order["id"], "confirm", {"lines": [{"line_id": str(uuid4()), "confirmed_quantity": 1}]})
    twice = buying.ask(order["id"], "confirm", {"lines": [{"line_id": line_id, "confirmed_quantity": 1}] * 2})

    assert refusal(nothing) == (422, "nothing_confirmed")
    assert (refusal(too_many), faults(too_many)) == (
        (422, "invalid"),
        [("/lines/0/confirmed_quantity", "out_of_range")],
    )
    assert faults(unknown) == [("/lines/0/line_id", "unknown_line")]
    assert faults(twice) == [("/lines/1/line_id", "duplicate_line")]


@pytest.mark.parametrize("verb", ["confirm", "receive", "cancel", "pay"])
def test_a_draft_can_only_be_submitted(buying: Buying, verb: str) -> None:
    order = buying.draft()
    bodies = {
        "confirm": None,
        "receive": a_note(order, "Parkett/A/1"),
        "cancel": {"reason": "none"},
        "pay": {"method": "BANK_TRANSFER", "reference": "S-1"},
    }

    answer = buying.ask(order["id"], verb, bodies[verb])

    assert refusal(answer) == (409, "not_receivable" if verb == "receive" else "wrong_state")


def test_an_order_nothing_came_of_is_cancelled_whole(buying: Buying) -> None:
    order = buying.confirmed()

    shown = buying.ask(order["id"], "cancel", {"reason": "Tour off"}, params={"preview": True})
    buying.done(order["id"], "cancel", {"reason": "Tour off"})

    found = buying.order(order["id"])
    assert shown.status_code == 200
    assert shown.json()["lines"] == [{"line_id": order["lines"][0]["id"], "cancelled_quantity": 10}]
    assert (found["status"], found["can"], found["cancellation_reason"]) == ("CANCELLED", [], "Tour off")
    assert found["history"][-1]["reason"] == "Tour off"


def test_a_preview_of_cancelling_changes_nothing(buying: Buying) -> None:
    order = buying.pending()

    buying.ask(order["id"], "cancel", {"reason": "Tour off"}, params={"preview": True})

    assert buying.order(order["id"]) == order


def test_cancelling_the_rest_of_a_partly_received_order_completes_it(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/1-4")

    buying.done(order["id"], "cancel", {"reason": "Sold out"})

    found = buying.order(order["id"])
    assert (found["status"], found["receipt_status"]) == ("COMPLETED", "RECEIVED")
    line = found["lines"][0]
    assert (line["received_quantity"], line["cancelled_quantity"], line["status"]) == (4, 6, "RECEIVED")
    assert refusal(buying.ask(order["id"], "cancel", {"reason": "again"})) == (409, "wrong_state")


def test_a_pending_order_can_be_cancelled(buying: Buying) -> None:
    order = buying.pending()

    buying.done(order["id"], "cancel", {"reason": "Changed our minds"})

    found = buying.order(order["id"])
    assert (found["status"], found["lines"][0]["cancelled_quantity"]) == ("CANCELLED", 10)


def test_lists_are_filtered_by_the_derived_status(buying: Buying) -> None:
    made = {
        "DRAFT": buying.draft(),
        "PENDING": buying.pending(),
        "CONFIRMED": buying.confirmed(),
        "PARTIALLY_RECEIVED": buying.confirmed(),
    }
    buying.received(made["PARTIALLY_RECEIVED"], "Parkett/A/1")

    found = {
        status: [order["id"] for order in buying.buyer.everything(f"/api/purchase-orders?status={status}")]
        for status in made
    }

    assert found == {status: [order["id"]] for status, order in made.items()}
    both = buying.buyer.read("/api/purchase-orders?status=DRAFT&status=PENDING")["data"]
    assert [order["id"] for order in both] == [made["PENDING"]["id"], made["DRAFT"]["id"]]


def test_lists_are_filtered_by_supplier_event_and_words(buying: Buying) -> None:
    other = a_supplier(buying.buyer, name="Konzertdirektion Müller")
    mine, theirs = buying.draft(reference="Spring 100%"), buying.draft(supplier_id=other)
    ids = {"mine": mine["id"], "theirs": theirs["id"]}

    def found(query: str) -> list[str]:
        return [order["id"] for order in buying.buyer.everything(f"/api/purchase-orders?{query}")]

    assert found(f"supplier_id={other}") == [ids["theirs"]]
    assert sorted(found(f"event_id={buying.event_id}")) == sorted(ids.values())
    assert found(f"event_id={uuid4()}") == []
    assert found("q=100%25") == [ids["mine"]]
    assert found("q=MÜLLER") == [ids["theirs"]]
    assert found(f"q={mine['po_number']}") == [ids["mine"]]


@pytest.mark.parametrize(
    "sort", ["created_at", "-created_at", "po_number", "-total_amount", "total_amount", "expected_date"]
)
def test_lists_are_paged_in_any_order(buying: Buying, sort: str) -> None:
    days = ["2027-03-01", None, "2027-01-01", "2027-03-01", "2027-02-01"]
    for number, day in enumerate(days, start=1):
        buying.draft(a_line(buying.event_id, quantity=number % 3 + 1), **({"expected_date": day} if day else {}))

    whole = buying.buyer.everything(f"/api/purchase-orders?sort={sort}")
    paged = buying.buyer.everything(f"/api/purchase-orders?sort={sort}", limit=2)

    def key(order: dict[str, Any]) -> str:
        value = order[sort.lstrip("-")]
        return f"{Decimal(value['amount']):09}" if isinstance(value, dict) else value or "~"

    assert len(whole) == 5
    assert [order["id"] for order in paged] == [order["id"] for order in whole]
    assert [key(order) for order in whole] == sorted(map(key, whole), reverse=sort.startswith("-"))


def test_a_cursor_of_another_list_is_refused(buying: Buying) -> None:
    for _ in range(2):
        buying.draft()
    cursor = buying.buyer.read("/api/purchase-orders?limit=1&sort=po_number")["next"]

    answer = buying.buyer.get(f"/api/purchase-orders?sort=total_amount&after={cursor}")

    assert refusal(answer) == (422, "invalid")


def test_an_order_of_another_agency_does_not_exist(buying: Buying, stranger: Caller) -> None:
    order = buying.confirmed()

    assert refusal(stranger.get(f"/api/purchase-orders/{order['id']}")) == (404, "not_found")
    assert refusal(stranger.post(f"/api/purchase-orders/{order['id']}/receive", a_note(order, "Parkett/A/1"))) == (
        404,
        "not_found",
    )
    assert stranger.read("/api/purchase-orders")["data"] == []


def test_box_office_does_not_order(buying: Buying, boxoffice: Caller, anonymous: Caller) -> None:
    assert refusal(boxoffice.get("/api/purchase-orders")) == (403, "forbidden")
    assert refusal(anonymous.get("/api/purchase-orders")) == (401, "unauthenticated")


def test_the_same_key_is_the_same_operation(buying: Buying) -> None:
    order = buying.draft()
    headers = {"Idempotency-Key": f"submit-{order['id']}"}

    first = buying.ask(order["id"], "submit", headers=headers)
    buying.carried(first)
    again = buying.ask(order["id"], "submit", headers=headers)

    assert again.headers["idempotent-replayed"] == "true"
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "succeeded")
