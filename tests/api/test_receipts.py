"""Deliveries over HTTP: the receiving rules in their order, files and forms, and the receipts they leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_block, a_line, a_note, buying_in, eur
from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import a_venue, an_event


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def seats_of(buying: Buying, **wanted: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return buying.buyer.everything(f"/api/inventory/events/{buying.event_id}/seats?{query}")


def test_a_delivery_gives_every_seat_an_owner_a_cost_and_a_price(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=3, unit_price="33.3333", retail_price=eur("35.00")))

    operation = buying.received(order, "Parkett/A/1-3")

    owned = seats_of(buying, ownership_status="OWNED")
    assert (operation["result"]["received"], operation["result"]["rejected"]) == (3, [])
    assert operation["progress"] == {"done": 3, "total": 3, "unit": "seats"}
    assert [(seat["seat_number"], seat["cost"]["amount"]) for seat in owned] == [
        ("1", "33.34"),
        ("2", "33.33"),
        ("3", "33.33"),
    ]
    assert {seat["purchase_price"]["amount"] for seat in owned} == {"33.3333"}
    assert {seat["retail_price"]["amount"] for seat in owned} == {"35.00"}
    assert {seat["purchase_order_id"] for seat in owned} == {order["id"]}


def test_a_receipt_tells_seat_by_seat_what_came(buying: Buying) -> None:
    order = buying.confirmed()
    said = datetime.now(UTC) - timedelta(days=3)
    operation = buying.received(order, "Parkett/A/8-10", "Parkett/A/1", delivered_at=said.isoformat())

    receipt = buying.buyer.read(f"/api/receipts/{operation['result']['receipt_number']}")

    assert receipt["id"] == operation["result"]["receipt_id"]
    assert (receipt["delivery_reference"], receipt["received_by"]) == ("LS-1", order["created_by"])
    assert datetime.fromisoformat(receipt["delivered_at"]) == said
    assert (receipt["total_amount"], receipt["seat_count"]) == (eur("80.00"), 4)
    (line,) = receipt["lines"]
    assert (line["line_id"], line["quantity"]) == (order["lines"][0]["id"], 4)
    assert [(seat["section"], seat["row"], seat["seat_number"]) for seat in line["seats"]] == [
        ("Parkett", "A", number) for number in ("1", "8", "9", "10")
    ]
    short = {name: receipt[name] for name in receipt if name != "lines"} | {"bill_id": operation["result"]["bill_id"]}
    assert buying.buyer.everything("/api/receipts") == buying.order(order["id"])["receipts"] == [short]


def test_an_order_is_received_in_as_many_parts_as_it_takes(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id), a_line(buying.event_id, quantity=5))

    buying.received(order, "Parkett/A/1-6", reference="LS-1")
    partly = buying.order(order["id"])
    buying.received(order, "Parkett/A/7-10", reference="LS-2")
    buying.received(order, "Parkett/B/1-5", reference="LS-3", line=1)
    whole = buying.order(order["id"])

    assert (partly["status"], partly["receipt_status"], partly["bill_status"]) == (
        "PARTIALLY_RECEIVED",
        "PARTIALLY_RECEIVED",
        "PARTIALLY_BILLED",
    )
    assert [line["status"] for line in partly["lines"]] == ["PARTIALLY_RECEIVED", "CONFIRMED"]
    assert (whole["status"], whole["receipt_status"], whole["bill_status"]) == ("COMPLETED", "RECEIVED", "BILLED")
    assert [line["status"] for line in whole["lines"]] == ["RECEIVED", "RECEIVED"]
    assert (whole["received_amount"], len(whole["receipts"]), len(whole["bills"])) == (eur("300.00"), 3, 3)
    assert whole["can"] == ["pay"]
    assert [change["to"] for change in whole["history"]] == [
        "DRAFT",
        "PENDING",
        "CONFIRMED",
        "PARTIALLY_RECEIVED",
        "PARTIALLY_RECEIVED",
        "COMPLETED",
    ]


def test_a_delivery_that_would_complete_the_order_needs_nothing_rejected_to_come(buying: Buying) -> None:
    order = buying.pending()
    lines = [{"line_id": order["lines"][0]["id"], "confirmed_quantity": 4}]
    buying.done(order["id"], "confirm", {"lines": lines})

    buying.received(order, "Parkett/A/1-4")

    assert buying.order(order["id"])["status"] == "COMPLETED"


def test_the_same_delivery_is_the_same_receipt_in_any_status(buying: Buying) -> None:
    order = buying.confirmed()
    first = buying.received(order, "Parkett/A/*")
    assert buying.order(order["id"])["status"] == "COMPLETED"

    again = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/*"))

    assert again.status_code == 202
    assert (again.json()["status"], again.json()["result"]) == ("succeeded", first["result"])
    assert len(buying.buyer.everything(f"/api/receipts?purchase_order_id={order['id']}")) == 1


def test_content_is_the_same_however_it_is_spelled(buying: Buying) -> None:
    order = buying.confirmed()
    line_id = order["lines"][0]["id"]
    lines = [{"line_id": line_id, "seats": ["Parkett/A/1-5"], "retail_price": eur("35.00")}]
    first = buying.done(order["id"], "receive", {"delivery_reference": "LS-1", "lines": lines})
    respelled = [
        {"line_id": line_id, "seats": ["Parkett/A/3,4,5"], "retail_price": eur("35.0")},
        {"line_id": line_id, "seats": [" Parkett / A / 1-2 "], "retail_price": eur("35")},
    ]

    again = buying.ask(order["id"], "receive", {"delivery_reference": " LS-1 ", "lines": respelled})

    assert again.json()["result"] == first["result"]


@pytest.mark.parametrize(
    "change",
    [
        {"seats": ["Parkett/A/1-4"]},
        {"seats": ["Parkett/A/1-5"], "retail_price": eur("36.00")},
        {"seats": ["nonsense"]},
        {"block": {"section": "Parkett"}, "quantity": 5},
    ],
)
def test_a_used_reference_with_other_content_is_refused(buying: Buying, change: dict[str, Any]) -> None:
    order = buying.confirmed()
    first = buying.received(order, "Parkett/A/1-5")
    lines = [{"line_id": order["lines"][0]["id"], **change}]

    answer = buying.ask(order["id"], "receive", {"delivery_reference": "LS-1", "lines": lines})

    assert refusal(answer) == (409, "delivery_reference_reused")
    assert answer.json()["receipt_id"] == first["result"]["receipt_id"]


def test_a_time_given_is_content_and_a_time_taken_is_not(buying: Buying) -> None:
    order = buying.confirmed()
    said = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    buying.received(order, "Parkett/A/1-5", delivered_at=said)

    same = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-5", delivered_at=said))
    silent = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-5"))

    assert same.json()["status"] == "succeeded"
    assert refusal(silent) == (409, "delivery_reference_reused")


def test_a_refused_delivery_does_not_use_up_its_reference(buying: Buying) -> None:
    order = buying.confirmed()

    refused = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-99"))

    assert refusal(refused) == (422, "no_such_seat")
    assert buying.received(order, "Parkett/A/1-9")["result"]["received"] == 9


def test_another_order_may_use_the_same_reference(buying: Buying) -> None:
    first, second = buying.confirmed(), buying.confirmed()
    buying.received(first, "Parkett/A/1")

    assert buying.received(second, "Parkett/A/2")["result"]["received"] == 1


@pytest.mark.parametrize(
    ("seats", "status", "code", "pointer"),
    [
        (["Parkett/A/10-1"], 422, "invalid_selector", "/lines/0/seats/0"),
        (["Parkett"], 422, "invalid_selector", "/lines/0/seats/0"),
        (["Parkett/A/1", "Parkett/A/10-12"], 422, "no_such_seat", "/lines/0/seats/1"),
        (["Balkon/A/1"], 422, "no_such_seat", "/lines/0/seats/0"),
        (["Parkett/A/1-3", "Parkett/A/3"], 422, "duplicate_seat", "/lines/0/seats/1"),
        (["Parkett/A/*", "Parkett/B/1"], 409, "over_delivery", None),
    ],
)
def test_a_list_that_cannot_be_taken_is_refused_where_it_is_wrong(
    buying: Buying, seats: list[str], status: int, code: str, pointer: str | None
) -> None:
    order = buying.confirmed()

    answer = buying.ask(order["id"], "receive", a_note(order, *seats))

    assert refusal(answer) == (status, code)
    assert pointer is None or faults(answer) == [(pointer, code)]
    assert seats_of(buying, ownership_status="OWNED") == []


def test_a_seat_under_two_lines_is_named_twice(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id), a_line(buying.event_id))
    lines = [{"line_id": line["id"], "seats": ["Parkett/A/1-2"]} for line in order["lines"]]

    answer = buying.ask(order["id"], "receive", {"delivery_reference": "LS-1", "lines": lines})

    assert (refusal(answer), faults(answer)) == ((422, "duplicate_seat"), [("/lines/1/seats/0", "duplicate_seat")])


def test_an_unknown_line_is_refused(buying: Buying) -> None:
    order, other = buying.confirmed(), buying.confirmed()

    answer = buying.ask(order["id"], "receive", a_note(other, "Parkett/A/1"))

    assert (refusal(answer), faults(answer)) == ((422, "unknown_id"), [("/lines/0/line_id", "unknown_id")])


def test_a_seat_that_is_owned_is_refused_with_the_order_it_came_by(buying: Buying) -> None:
    first, second = buying.confirmed(), buying.confirmed()
    buying.received(first, "Parkett/A/1-5")

    answer = buying.ask(second["id"], "receive", a_note(second, "Parkett/B/1", "Parkett/A/5-6"))

    assert refusal(answer) == (409, "seat_already_owned")
    assert faults(answer) == [("/lines/0/seats/1", "seat_already_owned")]
    (seat,) = answer.json()["seats"]
    assert (seat["seat"], seat["po_number"]) == ("Parkett/A/5", first["po_number"])


def test_over_delivery_names_line_open_and_delivered(buying: Buying) -> None:
    order = buying.confirmed()
    buying.received(order, "Parkett/A/1-4")

    answer = buying.ask(order["id"], "receive", a_note(order, "Parkett/B/1-7", reference="LS-2"))

    problem = answer.json()
    assert refusal(answer) == (409, "over_delivery")
    assert (problem["line"], problem["open"], problem["delivered"]) == (1, 6, 7)
    assert problem["line_id"] == order["lines"][0]["id"]
    assert faults(answer) == [("/lines/0", "over_delivery")]


def test_a_block_takes_what_is_free_in_human_order(buying: Buying) -> None:
    first = buying.confirmed()
    buying.received(first, "Parkett/B/2,4")
    order = buying.confirmed()

    buying.done(order["id"], "receive", a_block(order, "Parkett", 10, rows="B-C"))

    owned = [seat for seat in seats_of(buying, ownership_status="OWNED") if seat["purchase_order_id"] == order["id"]]
    assert [seat["row"] + seat["seat_number"] for seat in owned] == [
        "B1",
        "B3",
        "B5",
        "B6",
        "B7",
        "B8",
        "B9",
        "B10",
        "C1",
        "C2",
    ]


def test_a_block_that_is_too_small_says_how_many_there_are(buying: Buying) -> None:
    first, order = buying.confirmed(), buying.confirmed()
    buying.received(first, "Parkett/B/1-3")

    answer = buying.ask(order["id"], "receive", a_block(order, "Parkett", 8, rows="B"))

    assert refusal(answer) == (409, "block_too_small")
    assert (answer.json()["available"], answer.json()["requested"]) == (7, 8)
    assert faults(answer) == [("/lines/0/quantity", "block_too_small")]


def test_blocks_and_lists_of_one_note_never_take_the_same_seat(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=9))
    line_id = order["lines"][0]["id"]
    block = {"section": "Parkett", "rows": "A"}
    lines = [
        {"line_id": line_id, "block": block, "quantity": 3},
        {"line_id": line_id, "seats": ["Parkett/A/2"]},
        {"line_id": line_id, "block": block, "quantity": 4},
    ]

    operation = buying.done(order["id"], "receive", {"delivery_reference": "LS-1", "lines": lines})

    assert operation["result"]["received"] == 8
    assert [seat["seat_number"] for seat in seats_of(buying, ownership_status="OWNED")] == list("12345678")


def test_a_block_that_does_not_exist_is_refused(buying: Buying) -> None:
    order = buying.confirmed()

    answer = buying.ask(order["id"], "receive", a_block(order, "Parkett", 2, rows="Z"))

    assert (refusal(answer), faults(answer)) == ((422, "no_such_seat"), [("/lines/0/block", "no_such_seat")])


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"seats": []},
        {"seats": ["Parkett/A/1"], "block": {"section": "Parkett"}, "quantity": 1},
        {"block": {"section": "Parkett"}},
        {"seats": ["Parkett/A/1"], "quantity": 1},
        {"block": {"section": "Parkett"}, "quantity": 0},
    ],
)
def test_a_line_says_either_seats_or_block_and_quantity(buying: Buying, line: dict[str, Any]) -> None:
    order = buying.confirmed()
    body = {"delivery_reference": "LS-1", "lines": [{"line_id": order["lines"][0]["id"], **line}]}

    assert refusal(buying.ask(order["id"], "receive", body)) == (422, "invalid")


def test_a_delivery_is_not_dated_in_the_future(buying: Buying) -> None:
    order = buying.confirmed()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    answer = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1", delivered_at=tomorrow))

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("/delivered_at", "invalid")])


def test_a_delivery_is_for_confirmed_orders(buying: Buying) -> None:
    pending, cancelled = buying.pending(), buying.confirmed()
    buying.done(cancelled["id"], "cancel", {"reason": "none"})

    for order in (pending, cancelled):
        answer = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-99"))
        assert refusal(answer) == (409, "not_receivable")


def test_a_preview_shows_seats_amounts_and_bill_and_changes_nothing(buying: Buying) -> None:
    order = buying.confirmed()
    note = a_note(order, "Parkett/A/1-4", delivered_at="2026-03-30T22:30:00Z")

    answer = buying.ask(order["id"], "receive", note, params={"preview": True})

    shown = answer.json()
    assert (answer.status_code, shown["received"], shown["total_amount"]) == (200, 4, eur("80.00"))
    assert shown["lines"][0]["seats"] == [{"section": "Parkett", "row": "A", "seats": "1-4"}]
    # Already the 31st in Berlin.
    assert (shown["bill"]["bill_date"], shown["bill"]["due_date"]) == ("2026-03-31", "2026-04-30")
    assert (shown["bill"]["advance_used"], shown["status_after"]) == (eur("0.00"), "PARTIALLY_RECEIVED")
    assert buying.order(order["id"]) == order


def test_a_preview_is_refused_as_the_delivery_would_be(buying: Buying) -> None:
    order = buying.confirmed()

    answer = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/*", "Parkett/B/1"), params={"preview": True})

    assert refusal(answer) == (409, "over_delivery")


def test_a_preview_of_a_delivery_taken_in_names_its_receipt(buying: Buying) -> None:
    order = buying.confirmed()
    operation = buying.received(order, "Parkett/A/1-4")

    shown = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-4"), params={"preview": True}).json()

    assert shown["receipt_id"] == operation["result"]["receipt_id"]


def test_an_order_over_two_events_takes_the_same_label_of_each(buying: Buying, owner: Caller) -> None:
    other = an_event(owner, venue_id=a_venue(owner, name="Oper"))["id"]
    order = buying.confirmed(a_line(buying.event_id), a_line(other))
    lines = [{"line_id": line["id"], "seats": ["Parkett/A/1-2"]} for line in order["lines"]]

    operation = buying.done(order["id"], "receive", {"delivery_reference": "LS-1", "lines": lines})

    assert operation["result"]["received"] == 4


def test_a_receipt_of_another_agency_does_not_exist(buying: Buying, stranger: Caller) -> None:
    operation = buying.received(buying.confirmed(), "Parkett/A/1")

    assert refusal(stranger.get(f"/api/receipts/{operation['result']['receipt_id']}")) == (404, "not_found")
    assert stranger.read("/api/receipts")["data"] == []


def test_the_receipt_goes_to_the_buyer_and_to_the_supplier(buying: Buying) -> None:
    order = buying.confirmed()
    operation = buying.received(order, "Parkett/A/1")

    with buying.database.transaction(buying.tenant_id) as tx:
        found = tx.dicts("SELECT payload FROM outbox WHERE kind = 'MAIL' AND payload->>'letter' LIKE 'receipt%%'")
        paper = tx.value("SELECT id FROM documents WHERE kind = 'receipt'")

    letters = {row["payload"]["letter"]: row["payload"] for row in found}
    assert {letter: mail["to"] for letter, mail in letters.items()} == {
        "receipt_to_buyer": order["created_by"],
        "receipt_to_supplier": "orders@theater.example",
    }
    assert all(mail["documents"] == [str(paper)] for mail in letters.values())
    assert all(mail["subject_id"] == operation["result"]["receipt_id"] for mail in letters.values())
