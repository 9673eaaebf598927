"""Venues and the import of their seats."""

from __future__ import annotations

import pytest

from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import a_venue, an_event, seat_csv

VENUE = {"name": "Stadthalle", "venue_type": "THEATER", "timezone": "Europe/Berlin"}


def an_empty_venue(owner: Caller) -> str:
    venue_id: str = owner.made("/api/venues", VENUE)["id"]
    return venue_id


def labels(caller: Caller, venue_id: str) -> list[str]:
    seats = caller.everything(f"/api/venues/{venue_id}/seats")
    return [f"{seat['section']}/{seat['row']}/{seat['seat_number']}" for seat in seats]


def test_a_venue_reads_as_it_was_made(buyer: Caller) -> None:
    made = buyer.made("/api/venues", {**VENUE, "address": "Marktplatz 1"})

    assert buyer.read(f"/api/venues/{made['id']}") == made
    assert (made["object"], made["name"], made["address"]) == ("venue", "Stadthalle", "Marktplatz 1")


def test_an_address_may_have_named_lines(owner: Caller) -> None:
    address = {"street": "Marktplatz 1", "city": "Berlin", "country": None}

    assert owner.made("/api/venues", {**VENUE, "address": address})["address"] == address


def test_venues_are_listed_newest_first_and_found_by_name(owner: Caller) -> None:
    for name in ("Stadthalle", "Arena", "Alte Arena"):
        owner.made("/api/venues", {**VENUE, "name": name})

    assert [venue["name"] for venue in owner.everything("/api/venues", limit=1)] == [
        "Alte Arena",
        "Arena",
        "Stadthalle",
    ]
    assert [venue["name"] for venue in owner.everything("/api/venues?q=aRENA")] == ["Alte Arena", "Arena"]
    assert owner.everything("/api/venues?q=%25") == []


def test_the_other_agency_sees_none_of_it(owner: Caller, stranger: Caller) -> None:
    venue_id = a_venue(owner)

    assert stranger.everything("/api/venues") == []
    assert refusal(stranger.get(f"/api/venues/{venue_id}")) == (404, "not_found")
    assert refusal(stranger.get(f"/api/venues/{venue_id}/seats")) == (404, "not_found")
    assert refusal(stranger.upload(f"/api/venues/{venue_id}/seats/import", seat_csv())) == (404, "not_found")


def test_only_those_who_buy_may_make_venues(boxoffice: Caller, finance: Caller, anonymous: Caller) -> None:
    assert refusal(boxoffice.post("/api/venues", VENUE)) == (403, "forbidden")
    assert refusal(finance.get("/api/venues")) == (403, "forbidden")
    assert refusal(anonymous.post("/api/venues", VENUE)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "content",
    [
        b"section,row,seat\nA,1,1\nA,1,2\n",
        b"\xef\xbb\xbfsection,row,seat\r\nA,1,1\r\nA,1,2\r\n",
        b"section;row;seat\nA;1;1\nA;1;2",
        b"seat,section,row\n1,A,1\n2,A,1\n\n",
    ],
)
def test_files_come_with_comma_or_semicolon_and_either_line_end(owner: Caller, content: bytes) -> None:
    venue_id = an_empty_venue(owner)

    answer = owner.upload(f"/api/venues/{venue_id}/seats/import", content)

    assert (answer.status_code, answer.json()) == (200, {"created": 2, "updated": 0, "unchanged": 0})
    assert labels(owner, venue_id) == ["A/1/1", "A/1/2"]


def test_labels_survive_and_are_listed_as_people_read_them(owner: Caller) -> None:
    venue_id = an_empty_venue(owner)
    names = ["12A", "10", "007", "2", "12", "B", "Ä", "A", "1"]
    content = "section,row,seat\n" + "".join(f"Rang,Z,{name}\n" for name in names)

    owner.upload(f"/api/venues/{venue_id}/seats/import", content.encode())

    found = [seat["seat_number"] for seat in owner.everything(f"/api/venues/{venue_id}/seats", limit=2)]
    assert found == ["1", "2", "007", "10", "12", "12A", "A", "Ä", "B"]


def test_a_second_import_updates_what_it_says_and_keeps_the_rest(owner: Caller) -> None:
    venue_id = an_empty_venue(owner)
    path = f"/api/venues/{venue_id}/seats/import"
    owner.upload(path, b"section,row,seat,seat_type,x,y\nA,1,1,VIP,1.5,2\nA,1,2,,3,4\nA,1,3,,5,6\n")

    answer = owner.upload(path, b"section,row,seat,seat_type,x\nA,1,1,,1.5\nA,1,2,WHEELCHAIR,\nA,1,3,,5.25\nA,1,4,,\n")

    seats = owner.everything(f"/api/venues/{venue_id}/seats")
    assert answer.json() == {"created": 1, "updated": 2, "unchanged": 1}
    assert [(seat["seat_type"], seat["x"], seat["y"]) for seat in seats] == [
        ("VIP", "1.500", "2.000"),
        ("WHEELCHAIR", "3.000", "4.000"),
        ("STANDARD", "5.250", "6.000"),
        ("STANDARD", None, None),
    ]


def test_the_same_file_again_changes_nothing(owner: Caller) -> None:
    venue_id = a_venue(owner)

    answer = owner.upload(f"/api/venues/{venue_id}/seats/import", seat_csv())

    assert answer.json() == {"created": 0, "updated": 0, "unchanged": 30}


def test_a_preview_counts_and_changes_nothing(owner: Caller) -> None:
    venue_id = an_empty_venue(owner)

    answer = owner.upload(f"/api/venues/{venue_id}/seats/import?preview=true", seat_csv())

    assert (answer.status_code, answer.json()["created"]) == (200, 30)
    assert labels(owner, venue_id) == []


def test_one_bad_line_among_thousands_is_named_and_nothing_is_imported(owner: Caller) -> None:
    venue_id = an_empty_venue(owner)
    lines = [f"Parkett,{number // 50},{number % 50}" for number in range(2000)]
    lines[1732] = "Parkett,34,3*2"

    answer = owner.upload(f"/api/venues/{venue_id}/seats/import", "\n".join(["section,row,seat", *lines]).encode())

    assert answer.status_code == 422
    assert faults(answer) == [("/lines/1734", "invalid_label")]
    assert labels(owner, venue_id) == []


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        (b"", "/lines/1", "wrong_header"),
        (b"section,row\nA,1\n", "/lines/1", "wrong_header"),
        (b"section,row,seat,colour\nA,1,1,red\n", "/lines/1", "wrong_header"),
        (b"section,row,seat\nA,1,1\nA,1,1\n", "/lines/3", "duplicate_seat"),
        (b"section,row,seat\nA,1\n", "/lines/2", "wrong_columns"),
        (b"section,row,seat\nA/B,1,1\n", "/lines/2", "invalid_label"),
        (b"section,row,seat\nA,1-2,1\n", "/lines/2", "invalid_label"),
        (b"section,row,seat\nA,1,1-2\n", "/lines/2", "invalid_label"),
        (b"section,row,seat\nA,1,\xff\n", "/lines/2", "not_utf8"),
        (b"section,row,seat\nA,1,a\x00b\n", "/lines/2", "invalid_label"),
        (b"section,row,seat,x\nA,1,1,left\n", "/lines/2", "not_a_number"),
    ],
)
def test_bad_lines_are_refused_where_they_stand(owner: Caller, content: bytes, pointer: str, code: str) -> None:
    answer = owner.upload(f"/api/venues/{an_empty_venue(owner)}/seats/import", content)

    assert answer.status_code == 422
    assert faults(answer) == [(pointer, code)]


def test_an_import_without_a_file_is_refused(owner: Caller) -> None:
    path = f"/api/venues/{an_empty_venue(owner)}/seats/import"

    answer = owner.call("POST", path, data={"note": "no file"}, files={"attachment": ("a.csv", b"x")})

    assert answer.status_code == 422
    assert "/file" in [pointer for pointer, _ in faults(answer)]


def test_a_field_beside_the_file_that_nobody_knows_is_refused(owner: Caller) -> None:
    venue_id = an_empty_venue(owner)

    answer = owner.upload(f"/api/venues/{venue_id}/seats/import", seat_csv("A"), fields={"colour": "red"})

    assert (refusal(answer), faults(answer)) == ((422, "unknown_field"), [("/colour", "unknown_field")])
    assert labels(owner, venue_id) == []


def test_new_seats_join_drafts_and_leave_published_events_alone(owner: Caller) -> None:
    venue_id = a_venue(owner, csv=seat_csv("A"))
    draft, published = (an_event(owner, venue_id=venue_id)["id"] for _ in range(2))
    owner.made(f"/api/events/{published}/publish")

    owner.upload(f"/api/venues/{venue_id}/seats/import", seat_csv("AB"))

    totals = [owner.read(f"/api/events/{event}/availability")["total"] for event in (draft, published)]
    assert totals == [20, 10]


def test_a_hall_of_fifty_thousand_seats_is_imported_and_put_on_in_seconds(owner: Caller) -> None:
    lines = (f"Block {number // 2500},{number % 2500 // 50},{number % 50 + 1}" for number in range(50_000))
    content = "\n".join(["section,row,seat", *lines]).encode()

    venue_id = a_venue(owner, csv=content)
    event = an_event(owner, venue_id=venue_id)
    again = owner.upload(f"/api/venues/{venue_id}/seats/import", content)

    assert owner.read(f"/api/events/{event['id']}/availability")["total"] == 50_000
    assert again.json() == {"created": 0, "updated": 0, "unchanged": 50_000}
