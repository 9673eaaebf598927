"""Delivery notes as files and as bodies of all kinds: every bad line named, nothing taken, nothing unhandled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_line, a_note, buying_in, eur
from tests.makers.callers import Caller, faults, refusal

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id)


def owned(buying: Buying) -> list[dict[str, Any]]:
    return buying.buyer.everything(f"/api/inventory/events/{buying.event_id}/seats?ownership_status=OWNED")


def send_file(buying: Buying, order: Any, content: bytes, *, reference: str = "LS-1", preview: bool = False) -> Any:
    path = f"/api/purchase-orders/{order['id']}/receive{'?preview=true' if preview else ''}"
    return buying.buyer.upload(path, content, fields={"delivery_reference": reference})


@pytest.mark.parametrize(
    ("content", "prices"),
    [
        (b"line,section,row,seat\n1,Parkett,A,1\n1,Parkett,A,2\n", ["35.00", "35.00"]),
        (b"line,section,row,seat,retail_price\r\n1,Parkett,A,1,40.00\r\n1,Parkett,A,2,\r\n", ["40.00", "35.00"]),
        (
            BOM + b"line;section;row;seat;unit_price;retail_price\n1;Parkett;A;1;20,00;41,50\n1;Parkett;A;2;20;\n",
            ["41.50", "35.00"],
        ),
        (b"line,section,row,seat,unit_price\n1,Parkett,A,1,20.00\n1,Parkett,A,2,\n", ["35.00", "35.00"]),
    ],
)
def test_a_file_is_taken_in_line_by_line(buying: Buying, content: bytes, prices: list[str]) -> None:
    order = buying.confirmed(a_line(buying.event_id, retail_price=eur("35.00")))

    operation = buying.carried(send_file(buying, order, content))

    assert operation["result"]["received"] == 2
    assert [seat["retail_price"]["amount"] for seat in owned(buying)] == prices


@pytest.mark.parametrize(
    ("lines", "status", "code", "found"),
    [
        ("1,Parkett,A,1,20.00\n1,Parkett,A,99,20.00", 422, "no_such_seat", [("/lines/3", "no_such_seat")]),
        ("1,Parkett,A,1,20.00\n1,Parkett,A,1,20.00", 422, "duplicate_seat", [("/lines/3", "duplicate_seat")]),
        ("1,Parkett,A,1,20.00\n2,Parkett,A,1,20.00", 422, "duplicate_seat", [("/lines/3", "duplicate_seat")]),
        ("1,Parkett,A,1,21.00", 422, "price_mismatch", [("/lines/2", "price_mismatch")]),
        ("1,Parkett,A,1,20,00", 422, "invalid", [("/lines/2", "wrong_columns")]),
        ("3,Parkett,A,1,20.00", 422, "invalid", [("/lines/2", "unknown_line")]),
        ("x,Parkett,A,1,20.00", 422, "invalid", [("/lines/2", "not_a_number")]),
    ],
)
def test_a_bad_line_of_a_file_is_named_and_nothing_is_taken(
    buying: Buying, lines: str, status: int, code: str, found: list[tuple[str, str]]
) -> None:
    order = buying.confirmed(a_line(buying.event_id), a_line(buying.event_id))

    answer = send_file(buying, order, f"line,section,row,seat,unit_price\n{lines}\n".encode())

    assert (refusal(answer), faults(answer)) == ((status, code), found)


def test_a_bad_line_far_down_a_file_is_found(buying: Buying) -> None:
    order = buying.confirmed()
    lines = [f"1,Parkett,A,{number}" for number in range(1, 2000)]
    lines[1732] = "1,Parkett,A"

    answer = send_file(buying, order, "\n".join(["line,section,row,seat", *lines]).encode())

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("/lines/1734", "wrong_columns")])


def test_a_price_that_differs_is_looked_at_last(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=1))
    content = b"line,section,row,seat,unit_price\n1,Parkett,A,1,21\n1,Parkett,A,2,20\n"

    assert refusal(send_file(buying, order, content)) == (409, "over_delivery")


def test_a_file_sent_twice_is_one_receipt_and_a_list_of_the_same_seats_too(buying: Buying) -> None:
    order = buying.confirmed()
    content = b"line,section,row,seat\n1,Parkett,A,2\n1,Parkett,A,1\n"
    first = buying.carried(send_file(buying, order, content))

    again = send_file(buying, order, BOM + b"line;section;row;seat\r\n1;Parkett;A;1\r\n1;Parkett;A;2\r\n")
    listed = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-2"))

    assert again.json()["result"] == listed.json()["result"] == first["result"]


def test_a_file_can_be_previewed(buying: Buying) -> None:
    order = buying.confirmed()

    answer = send_file(buying, order, b"line,section,row,seat\n1,Parkett,A,2\n", preview=True)

    assert (answer.status_code, answer.json()["received"]) == (200, 1)


def test_a_file_without_a_reference_or_with_something_else_is_refused(buying: Buying) -> None:
    order = buying.confirmed()
    path, content = f"/api/purchase-orders/{order['id']}/receive", b"line,section,row,seat\n1,Parkett,A,2\n"

    missing = buying.buyer.upload(path, content)
    strange = buying.buyer.upload(path, content, fields={"delivery_reference": "LS-1", "colour": "red"})
    fileless = buying.buyer.call("POST", path, data={"delivery_reference": "LS-1"}, files={"other": ("a.csv", content)})

    assert (refusal(missing), faults(missing)) == ((422, "invalid"), [("/delivery_reference", "required")])
    assert refusal(strange) == (422, "unknown_field")
    assert ("/file", "required") in faults(fileless)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2", b'"text"', b"null", b"[" * 5000, b'{"lines": 1}'])
def test_a_body_that_is_no_delivery_is_refused_politely(buying: Buying, content: bytes) -> None:
    order = buying.confirmed()
    path = f"/api/purchase-orders/{order['id']}/receive"

    answer = buying.buyer.call("POST", path, content=content, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_whoever_may_not_receive_hears_that_first(buying: Buying, boxoffice: Caller, anonymous: Caller) -> None:
    order = buying.confirmed()
    path = f"/api/purchase-orders/{order['id']}/receive"

    assert refusal(anonymous.post(path, {"nonsense": 1})) == (401, "unauthenticated")
    assert refusal(boxoffice.post(path, {"nonsense": 1})) == (403, "forbidden")
    assert refusal(buying.buyer.post("/api/purchase-orders/PO-2026-99999/receive", {"nonsense": 1})) == (
        404,
        "not_found",
    )


def test_text_nobody_should_send_is_refused(buying: Buying) -> None:
    order = buying.confirmed()

    for text in ("Parkett/A/\x00", "Parkett/A/\ud800", "\x00/A/1", "Parkett/\u202e/1"):
        line = {"line_id": order["lines"][0]["id"], "seats": [text]}
        body = json.dumps({"delivery_reference": "LS-1", "lines": [line]})
        answer = buying.buyer.call("POST", f"/api/purchase-orders/{order['id']}/receive", content=body)
        assert answer.status_code == 422, text


def test_a_line_of_another_currency_is_refused(buying: Buying) -> None:
    order = buying.confirmed()
    line = {"line_id": order["lines"][0]["id"], "seats": ["Parkett/A/1"]}
    dollars = {**line, "retail_price": {"amount": "35.00", "currency": "USD"}}

    answer = buying.ask(order["id"], "receive", {"delivery_reference": "LS-1", "lines": [dollars]})

    assert (refusal(answer), faults(answer)) == (
        (422, "currency_not_supported"),
        [("/lines/0/retail_price", "currency_not_supported")],
    )


TWICE = b"line,section,row,seat\n1,Parkett,A,1\n1,Parkett,A,1\n"


def test_a_seat_named_twice_is_looked_at_after_the_reference_and_the_orders_status(buying: Buying) -> None:
    order, pending = buying.confirmed(), buying.pending()
    buying.received(order, "Parkett/A/1")

    assert refusal(send_file(buying, order, TWICE)) == (409, "delivery_reference_reused")
    assert refusal(send_file(buying, pending, TWICE)) == (409, "not_receivable")
    assert refusal(send_file(buying, order, TWICE, reference="LS-2")) == (422, "duplicate_seat")


def test_a_seat_named_twice_does_not_hide_one_that_does_not_exist(buying: Buying) -> None:
    order = buying.confirmed()

    answer = send_file(buying, order, TWICE + b"1,Parkett,A,99\n")

    assert (refusal(answer), faults(answer)) == ((422, "no_such_seat"), [("/lines/4", "no_such_seat")])


def test_every_missing_seat_of_a_file_and_of_a_list_is_named(buying: Buying) -> None:
    order = buying.confirmed()
    missing = [f"Parkett/A/{number}" for number in range(11, 211)]
    lines = [f"1,{name.replace('/', ',')}" for name in ["Parkett/A/1", *missing]]

    filed = send_file(buying, order, "\n".join(["line,section,row,seat", *lines]).encode())
    listed = buying.ask(order["id"], "receive", a_note(order, "Parkett/A/1-210"))

    assert refusal(filed) == refusal(listed) == (422, "no_such_seat")
    assert filed.json()["missing"] == listed.json()["missing"] == missing
    assert len(faults(filed)) == 100
