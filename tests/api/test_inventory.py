"""An event's seats one by one, and their prices."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import an_event, owned, set_seats

Connection = psycopg.Connection[Any]


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def seats_of(caller: Caller, event: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    return caller.everything(f"/api/inventory/events/{event['id']}/seats{query}")


def test_seats_are_listed_in_human_order_with_all_that_is_known_of_them(
    buyer: Caller, owner_connection: Connection
) -> None:
    event = an_event(buyer)
    first = owned(owner_connection, event["id"], seats=1)[0]

    seats = seats_of(buyer, event)

    assert [(seat["row"], seat["seat_number"]) for seat in seats[:11]] == [
        *(("A", str(number)) for number in range(1, 11)),
        ("B", "1"),
    ]
    assert (seats[0]["event_seat_id"], seats[0]["ownership_status"], seats[0]["status"]) == (
        first,
        "OWNED",
        "AVAILABLE",
    )
    assert (seats[0]["purchase_price"], seats[0]["cost"], seats[0]["retail_price"]) == (
        eur("20.00"),
        eur("20.00"),
        None,
    )
    assert (seats[1]["ownership_status"], seats[1]["supplier_id"], seats[1]["cost"]) == ("NOT_OWNED", None, None)


def test_a_unit_price_shows_the_decimals_it_has(buyer: Caller, owner_connection: Connection) -> None:
    event = an_event(buyer)
    seat = owned(owner_connection, event["id"], seats=1)[0]
    owner_connection.execute("UPDATE event_seats SET purchase_price = 20.0125 WHERE id = %s", [seat])

    assert seats_of(buyer, event)[0]["purchase_price"] == eur("20.0125")


def test_costs_are_for_those_who_may_see_them(
    boxoffice: Caller, finance: Caller, buyer: Caller, owner_connection: Connection
) -> None:
    event = an_event(buyer)
    seat = owned(owner_connection, event["id"], seats=1)[0]
    path = f"/api/inventory/events/{event['id']}/seats/{seat}"

    hidden, shown = boxoffice.read(path), finance.read(path)

    assert (hidden["purchase_price"], hidden["cost"]) == (None, None)
    assert (shown["purchase_price"], shown["cost"]) == (eur("20.00"), eur("20.00"))
    assert {name for name in shown if shown[name] != hidden[name]} == {"purchase_price", "cost"}


def test_the_list_narrows_by_every_filter(buyer: Caller, owner_connection: Connection) -> None:
    event = an_event(buyer)
    seats = owned(owner_connection, event["id"], seats=12)
    set_seats(owner_connection, seats[:2], status="SOLD")
    set_seats(owner_connection, seats[2:4], status="RESERVED", held="1 hour")
    set_seats(owner_connection, seats[4:5], status="RESERVED", held="-1 second")
    supplier = seats_of(buyer, event)[0]["supplier_id"]

    def count(query: str) -> int:
        return len(seats_of(buyer, event, query))

    assert count("") == 30
    assert count("?section=Parkett&row=B") == 10
    assert count("?section=Balkon") == 0
    assert count("?ownership_status=OWNED") == count(f"?supplier_id={supplier}") == 12
    assert count("?ownership_status=OWNED&status=SOLD&status=RESERVED") == 4
    assert count("?ownership_status=OWNED&status=AVAILABLE") == 8
    assert count("?status=RESERVED") == 2


def test_pages_of_seats_follow_each_other(buyer: Caller) -> None:
    event = an_event(buyer)

    by_seven = buyer.everything(f"/api/inventory/events/{event['id']}/seats", limit=7)

    assert [seat["event_seat_id"] for seat in by_seven] == [seat["event_seat_id"] for seat in seats_of(buyer, event)]
    assert len(by_seven) == 30


def test_one_seat_gets_a_price_and_its_history(buyer: Caller, owner_connection: Connection) -> None:
    event = an_event(buyer)
    seat = seats_of(buyer, event)[0]["event_seat_id"]
    path = f"/api/inventory/events/{event['id']}/seats/{seat}/price"

    answers = [buyer.put(path, {"retail_price": eur(amount)}) for amount in ("35.00", "35", "40.50")]

    notes = owner_connection.execute(
        "SELECT from_status, to_status FROM history WHERE subject_id = %s ORDER BY entry", [seat]
    ).fetchall()
    assert [answer.json()["retail_price"] for answer in answers] == [eur("35.00"), eur("35.00"), eur("40.50")]
    assert notes == [(None, "35.00"), ("35.00", "40.50")]


def test_selectors_price_many_seats_at_once(buyer: Caller) -> None:
    event = an_event(buyer)
    path = f"/api/inventory/events/{event['id']}/prices"

    first = buyer.post(path, {"seats": ["Parkett/A/*", "Parkett/B-C/1-3"], "retail_price": eur("35.00")})
    second = buyer.post(path, {"seats": ["Parkett/*/*"], "retail_price": eur("35.00")})

    assert (first.status_code, first.json()) == (200, {"updated": 16, "unchanged": 0})
    assert second.json() == {"updated": 14, "unchanged": 16}
    assert {seat["retail_price"]["amount"] for seat in seats_of(buyer, event)} == {"35.00"}


def test_prices_are_set_on_the_version_of_the_event_that_was_read(buyer: Caller) -> None:
    event = an_event(buyer)
    path, body = f"/api/inventory/events/{event['id']}/prices", {"seats": ["Parkett/*/*"], "retail_price": eur("35.00")}
    tag = buyer.get(f"/api/events/{event['id']}").headers["ETag"]

    stale = buyer.post(path, body, headers={"If-Match": '"stale"'})
    current = buyer.post(path, body, headers={"If-Match": tag})

    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert current.status_code == 200


def test_a_preview_of_prices_changes_none(buyer: Caller) -> None:
    event = an_event(buyer)

    answer = buyer.post(
        f"/api/inventory/events/{event['id']}/prices?preview=true",
        {"seats": ["Parkett/A/*"], "retail_price": eur("35.00")},
    )

    assert (answer.status_code, answer.json()["updated"]) == (200, 10)
    assert {seat["retail_price"] for seat in seats_of(buyer, event)} == {None}


@pytest.mark.parametrize(
    ("seats", "code", "pointers"),
    [
        (["Parkett/A/1", "Parkett/A"], "invalid_selector", ["/seats/1"]),
        (["Parkett/A/9-1"], "invalid_selector", ["/seats/0"]),
        (["Parkett/A/1", "Parkett/A/9-12", "Balkon/A/1"], "no_such_seat", ["/seats/1", "/seats/2"]),
        (["Parkett/A/1-5", "Parkett/A/5"], "duplicate_seat", ["/seats/1"]),
    ],
)
def test_selectors_are_refused_where_they_stand(
    buyer: Caller, seats: list[str], code: str, pointers: list[str]
) -> None:
    event = an_event(buyer)

    answer = buyer.post(f"/api/inventory/events/{event['id']}/prices", {"seats": seats, "retail_price": eur("35.00")})

    assert refusal(answer) == (422, code)
    assert faults(answer) == [(pointer, code) for pointer in pointers]
    assert {seat["retail_price"] for seat in seats_of(buyer, event)} == {None}


@pytest.mark.parametrize(
    ("price", "code", "pointer"),
    [
        ({"amount": "35.00", "currency": "USD"}, "currency_not_supported", "/retail_price/currency"),
        ({"amount": "35.001", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "0", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "-1", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": 35, "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": 35.5, "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "1e3", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "٣", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "9999999999999", "currency": "EUR"}, "invalid", "/retail_price/amount"),
        ({"amount": "35.00"}, "invalid", "/retail_price/currency"),
        ({"amount": "35.00", "currency": "EUR", "net": "1"}, "unknown_field", "/retail_price/net"),
    ],
)
def test_prices_that_are_none_are_refused(buyer: Caller, price: dict[str, Any], code: str, pointer: str) -> None:
    event = an_event(buyer)
    seat = seats_of(buyer, event)[0]["event_seat_id"]

    one = buyer.put(f"/api/inventory/events/{event['id']}/seats/{seat}/price", {"retail_price": price})
    many = buyer.post(f"/api/inventory/events/{event['id']}/prices", {"seats": ["Parkett/A/1"], "retail_price": price})

    for answer in (one, many):
        assert refusal(answer) == (422, code)
        assert [where for where, _ in faults(answer)] == [pointer]


def test_a_price_set_on_an_old_reading_is_refused(buyer: Caller) -> None:
    event = an_event(buyer)
    path = f"/api/inventory/events/{event['id']}/seats/{seats_of(buyer, event)[0]['event_seat_id']}"
    tag = buyer.get(path).headers["ETag"]

    first = buyer.put(f"{path}/price", {"retail_price": eur("35.00")}, headers={"If-Match": tag})
    second = buyer.put(f"{path}/price", {"retail_price": eur("36.00")}, headers={"If-Match": tag})

    assert first.status_code == 200
    assert refusal(second) == (412, "version_mismatch")


def test_a_seat_of_another_event_is_not_found_here(buyer: Caller, stranger: Caller) -> None:
    event, other = an_event(buyer), an_event(buyer)
    seat = seats_of(buyer, event)[0]["event_seat_id"]
    path = f"/api/inventory/events/{other['id']}/seats/{seat}"

    assert refusal(buyer.get(path)) == (404, "not_found")
    assert refusal(buyer.put(f"{path}/price", {"retail_price": eur("35.00")})) == (404, "not_found")
    assert refusal(stranger.get(f"/api/inventory/events/{event['id']}/seats/{seat}")) == (404, "not_found")
    assert refusal(stranger.get(f"/api/inventory/events/{event['id']}/seats")) == (404, "not_found")


def test_the_box_office_sets_no_prices(boxoffice: Caller, buyer: Caller) -> None:
    event = an_event(buyer)

    answer = boxoffice.post(f"/api/inventory/events/{event['id']}/prices", {})

    assert refusal(answer) == (403, "forbidden")
