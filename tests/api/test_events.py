"""Events: made with their seats, published, sold, over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import a_venue, an_event, event_body, on_sale, owned, seat_csv, set_seats

Connection = psycopg.Connection[Any]


def test_a_new_event_is_a_draft_with_a_seat_per_seat_of_its_hall(owner: Caller) -> None:
    venue_id = a_venue(owner)

    answer = owner.post("/api/events", event_body(venue_id))

    event = answer.json()
    counts = owner.read(f"/api/events/{event['id']}/availability")
    assert answer.status_code == 201
    assert (event["status"], event["currency"], event["venue_id"]) == ("DRAFT", "EUR", venue_id)
    assert event["can"] == ["edit", "publish"]
    assert counts == {
        "event_id": event["id"],
        "total": 30,
        "not_owned": 30,
        "owned": 0,
        "available": 0,
        "held": 0,
        "reserved": 0,
        "sold": 0,
        "blocked": 0,
        "returned": 0,
    }


def test_reading_an_event_gives_what_making_it_gave(owner: Caller) -> None:
    event = an_event(owner, tax_rate="0.07", description="In two parts")

    assert owner.read(f"/api/events/{event['id']}") == event
    assert event["tax_rate"] == "0.0700"


def test_an_event_in_another_currency_is_refused(owner: Caller) -> None:
    answer = owner.post("/api/events", event_body(a_venue(owner), currency="USD"))

    assert refusal(answer) == (422, "currency_not_supported")
    assert faults(answer) == [("/currency", "currency_not_supported")]


def test_an_event_in_the_agencys_currency_is_made(owner: Caller) -> None:
    assert an_event(owner, currency="EUR")["currency"] == "EUR"


def test_an_event_at_an_unknown_venue_is_refused(owner: Caller, stranger: Caller) -> None:
    strange = a_venue(stranger)

    answer = owner.post("/api/events", event_body(strange))

    assert refusal(answer) == (422, "unknown_id")
    assert faults(answer) == [("/venue_id", "unknown_id")]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("end_datetime", "2026-01-01T00:00:00Z", "/end_datetime"),
        ("start_datetime", "2027-01-01T00:00:00", "/start_datetime"),
        ("start_datetime", "0001-01-01T00:00:00Z", "/start_datetime"),
        ("timezone", "Berlin", "/timezone"),
        ("tax_rate", "1.5", "/tax_rate"),
        ("tax_rate", "0.12345", "/tax_rate"),
        ("title", "", "/title"),
        ("title", "a\x00b", "/title"),
        ("event_type", "theater", "/event_type"),
        ("venue_id", "nowhere", "/venue_id"),
    ],
)
def test_a_wrong_field_is_pointed_at(owner: Caller, field: str, value: str, pointer: str) -> None:
    answer = owner.post("/api/events", {**event_body(a_venue(owner)), field: value})

    assert refusal(answer) == (422, "invalid")
    assert [where for where, _ in faults(answer)] == [pointer]


def test_an_event_goes_from_draft_to_sale_and_back(owner: Caller) -> None:
    event = an_event(owner)
    path = f"/api/events/{event['id']}"

    statuses = [
        owner.made(f"{path}/{verb}")["status"] for verb in ("publish", "open-sales", "close-sales", "open-sales")
    ]

    assert statuses == ["PUBLISHED", "ON_SALE", "PUBLISHED", "ON_SALE"]
    assert owner.read(path)["can"] == ["edit", "close_sales"]


@pytest.mark.parametrize("verb", ["open-sales", "close-sales"])
def test_a_draft_is_neither_opened_nor_closed(owner: Caller, verb: str) -> None:
    answer = owner.post(f"/api/events/{an_event(owner)['id']}/{verb}")

    assert refusal(answer) == (409, "wrong_state")
    assert (answer.json()["state"], answer.json()["allowed"]) == ("DRAFT", ["edit", "publish"])


def test_publishing_twice_is_refused_the_second_time(owner: Caller) -> None:
    path = f"/api/events/{an_event(owner)['id']}/publish"

    first, second = owner.post(path), owner.post(path)

    assert first.status_code == 200
    assert refusal(second) == (409, "wrong_state")


def test_a_step_takes_no_fields(owner: Caller) -> None:
    path = f"/api/events/{an_event(owner)['id']}/publish"

    assert refusal(owner.post(path, {"force": True})) == (422, "unknown_field")
    assert owner.post(path, {}).status_code == 200


def test_every_step_leaves_a_line_of_history(owner: Caller, owner_connection: Connection) -> None:
    event = an_event(owner)

    on_sale(owner, event["id"])

    rows = owner_connection.execute(
        "SELECT from_status, to_status, by LIKE 'nora%%' FROM history WHERE subject_id = %s ORDER BY entry",
        [event["id"]],
    ).fetchall()
    assert rows == [(None, "DRAFT", True), ("DRAFT", "PUBLISHED", True), ("PUBLISHED", "ON_SALE", True)]


def test_an_event_is_sold_out_when_all_that_is_owned_is_sold(owner: Caller, owner_connection: Connection) -> None:
    event = an_event(owner)
    on_sale(owner, event["id"])
    before = owner.read(f"/api/events/{event['id']}")["status"]
    seats = owned(owner_connection, event["id"], seats=3)
    set_seats(owner_connection, seats[:2], status="SOLD")
    between = owner.read(f"/api/events/{event['id']}")["status"]

    set_seats(owner_connection, seats, status="SOLD")

    after = owner.read(f"/api/events/{event['id']}")
    assert (before, between, after["status"]) == ("ON_SALE", "ON_SALE", "SOLD_OUT")
    assert after["can"] == ["edit", "close_sales"]


def test_an_event_that_is_over_is_completed_and_nothing_can_be_done_to_it(owner: Caller) -> None:
    venue_id = a_venue(owner)
    event = an_event(owner, venue_id=venue_id, starts_in_days=-2)
    path = f"/api/events/{event['id']}"

    published = owner.post(f"{path}/publish")
    changed = owner.put(path, event_body(venue_id, title="Faust II"))

    assert (event["status"], event["can"]) == ("COMPLETED", [])
    assert refusal(published) == refusal(changed) == (409, "wrong_state")


def test_availability_counts_every_seat_once(owner: Caller, owner_connection: Connection) -> None:
    event = an_event(owner)
    seats = owned(owner_connection, event["id"], seats=12)
    set_seats(owner_connection, seats[:1], status="HELD")
    set_seats(owner_connection, seats[1:3], status="RESERVED", held="1 hour")
    set_seats(owner_connection, seats[3:6], status="RESERVED", held="-1 second")
    set_seats(owner_connection, seats[6:7], status="SOLD")
    set_seats(owner_connection, seats[7:9], status="BLOCKED")
    owner_connection.execute(
        "UPDATE event_seats SET ownership_status = 'RETURNED_TO_SUPPLIER' WHERE id = %s", [seats[11]]
    )

    counts = owner.read(f"/api/events/{event['id']}/availability")

    assert {name: count for name, count in counts.items() if name != "event_id"} == {
        "total": 30,
        "not_owned": 18,
        "owned": 11,
        "available": 5,
        "held": 1,
        "reserved": 2,
        "sold": 1,
        "blocked": 2,
        "returned": 1,
    }


def test_a_change_replaces_what_may_still_change(owner: Caller) -> None:
    venue_id = a_venue(owner)
    event = an_event(owner, venue_id=venue_id, description="Draft text")
    body = event_body(venue_id, title="Faust II", starts_in_days=61, tax_rate="0.19")

    answer = owner.put(f"/api/events/{event['id']}", body)

    changed = answer.json()
    assert answer.status_code == 200
    assert (changed["title"], changed["tax_rate"], changed["description"]) == ("Faust II", "0.1900", None)
    assert changed["version"] == event["version"] + 1
    assert owner.read(f"/api/events/{event['id']}") == changed


def test_a_change_may_leave_out_venue_and_currency(owner: Caller) -> None:
    event = an_event(owner)
    body = event_body("")
    del body["venue_id"]

    changed = owner.put(f"/api/events/{event['id']}", body)

    assert changed.status_code == 200
    assert (changed.json()["venue_id"], changed.json()["currency"]) == (event["venue_id"], "EUR")


def test_an_event_keeps_its_venue_and_its_currency(owner: Caller) -> None:
    event = an_event(owner)

    moved = owner.put(f"/api/events/{event['id']}", event_body(a_venue(owner)))
    exchanged = owner.put(f"/api/events/{event['id']}", event_body(event["venue_id"], currency="USD"))

    assert (refusal(moved), faults(moved)) == ((422, "invalid"), [("/venue_id", "invalid")])
    assert refusal(exchanged) == (422, "currency_not_supported")


def test_a_change_on_an_old_reading_is_refused(owner: Caller) -> None:
    event = an_event(owner)
    path = f"/api/events/{event['id']}"
    tag = owner.get(path).headers["ETag"]
    body = event_body(event["venue_id"], title="Faust II")

    first = owner.put(path, body, headers={"If-Match": tag})
    second = owner.put(path, body, headers={"If-Match": tag})

    assert first.status_code == 200
    assert refusal(second) == (412, "version_mismatch")
    assert second.headers["ETag"] == owner.get(path).headers["ETag"]


def test_the_list_is_newest_first_and_filters(owner: Caller) -> None:
    venue_id = a_venue(owner)
    for days, title in ((10, "Faust"), (20, "Urfaust"), (30, "Egmont"), (-2, "Clavigo")):
        an_event(owner, venue_id=venue_id, starts_in_days=days, title=title)
    on_sale(owner, owner.everything("/api/events?q=Egmont")[0]["id"])
    middle = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()

    def titles(query: str) -> list[str]:
        return [event["title"] for event in owner.everything(f"/api/events{query}")]

    assert titles("") == ["Clavigo", "Egmont", "Urfaust", "Faust"]
    assert titles("?q=FAUST") == ["Urfaust", "Faust"]
    assert titles("?status=ON_SALE") == ["Egmont"]
    assert titles("?status=DRAFT&status=COMPLETED") == ["Clavigo", "Urfaust", "Faust"]
    assert titles(f"?from={middle}") == ["Egmont", "Urfaust"]
    assert titles(f"?to={middle}") == ["Clavigo", "Urfaust", "Faust"]
    assert titles(f"?from={middle}&to={middle}") == ["Urfaust"]
    assert titles(f"?from={middle}T23:59:59Z") == ["Egmont"]


def test_sold_out_events_are_found_by_their_status(owner: Caller, owner_connection: Connection) -> None:
    event = an_event(owner)
    on_sale(owner, event["id"])
    set_seats(owner_connection, owned(owner_connection, event["id"], seats=1), status="SOLD")

    assert [one["id"] for one in owner.everything("/api/events?status=SOLD_OUT")] == [event["id"]]
    assert owner.everything("/api/events?status=ON_SALE") == []


@pytest.mark.parametrize(
    "query", ["?from=soon", "?to=9999-12-31", "?from=2027-02-30", "?status=GONE", "?limit=0", "?limit=201"]
)
def test_a_filter_that_cannot_be_meant_is_refused(owner: Caller, query: str) -> None:
    assert refusal(owner.get(f"/api/events{query}")) == (422, "invalid")


def test_pages_follow_each_other_without_gap_or_repeat(owner: Caller) -> None:
    venue_id = a_venue(owner, csv=seat_csv("A", seats=1))
    made = [an_event(owner, venue_id=venue_id)["id"] for _ in range(5)]

    found = owner.everything("/api/events", limit=2)

    assert [event["id"] for event in found] == made[::-1]
