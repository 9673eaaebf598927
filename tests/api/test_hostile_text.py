"""Bodies that are none and text that means harm: refused or kept, never an error of ours."""

from __future__ import annotations

import json

import pytest

from db.ids import new_id
from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import a_venue, seat_csv

PATH = "/api/customers"
ADA = {"name": "Ada Byron", "email": "ada@example.org"}

HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\x1b[31m",
    "\u202eevil",
    "\ufeff",
    "\u200b",
    "A" * 300,
    "'; DROP TABLE users; --",
    "%s %(x)s {0}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "=1+1",
    "\U0001d504" * 50,
    "e\u0301",
]


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe", b'{"name": "Ada", "name"}', b"[" * 100_000, b'{"name": "\xff"}', b"nul", b'{"a": \x00}'],
)
def test_a_body_that_is_no_json_is_unreadable(boxoffice: Caller, content: bytes) -> None:
    answer = boxoffice.call("POST", PATH, content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer) in [(400, "malformed"), (422, "invalid")]


@pytest.mark.parametrize("content", [b"null", b"[]", b"1", b'"x"', b"NaN", b"Infinity", b"1e999", b"9" * 5000])
def test_json_that_is_no_object_is_refused(boxoffice: Caller, content: bytes) -> None:
    answer = boxoffice.call("POST", PATH, content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer) in [(400, "malformed"), (422, "invalid")]


def test_a_form_where_json_is_due_is_refused(boxoffice: Caller) -> None:
    assert boxoffice.call("POST", PATH, data=ADA).status_code in (400, 422)


def test_a_body_beyond_all_measure_is_refused(boxoffice: Caller, owner: Caller) -> None:
    venue_id = a_venue(owner)

    too_much = boxoffice.call("POST", PATH, content=b'{"name": "' + b"x" * 13 * 2**20 + b'"}')
    too_large = owner.upload(f"/api/venues/{venue_id}/seats/import", b"x" * 13 * 2**20)

    assert refusal(too_much) == refusal(too_large) == (413, "too_large")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_in_a_field_is_refused_or_kept(owner: Caller, text: str) -> None:
    body = json.dumps({"name": text, "email": "ada@example.org"})

    answer = owner.call("POST", PATH, content=body.encode(), headers={"Content-Type": "application/json"})

    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert owner.read(f"{PATH}/{answer.json()['id']}")["name"] == answer.json()["name"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_elsewhere_is_never_an_error_of_ours(owner: Caller, text: str) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in encoded)

    statuses = [
        owner.call("POST", PATH, content=json.dumps({**ADA, text: text}).encode()).status_code,
        owner.get(f"{PATH}?q={quoted}").status_code,
        owner.get(f"{PATH}?{quoted}=1").status_code,
        owner.get(f"{PATH}?after={quoted}").status_code,
        owner.get(f"{PATH}/{quoted}").status_code,
        owner.get(f"/api/events?from={quoted}&status={quoted}").status_code,
        owner.call("POST", PATH, json=ADA, headers={"Idempotency-Key": encoded}).status_code,  # type: ignore[dict-item]
        owner.call("GET", PATH, headers={"If-Match": encoded, "Prefer": encoded}).status_code,  # type: ignore[dict-item]
        owner.upload(f"/api/venues/{new_id()}/seats/import", encoded).status_code,
        owner.form("/api/auth/token", grant_type="password", username=f"{quoted}", password=quoted).status_code,
    ]

    assert max(statuses) < 500


@pytest.mark.parametrize(
    "cursor", ["x", "bnVsbA", "IlxcdWQ4MDAi", "W1sx", "e30", "MQ", "W1tbW1tb" * 200, "é", "IlwwMCI"]
)
@pytest.mark.parametrize("path", ["/api/customers", "/api/events", "venue"])
def test_a_cursor_of_somebody_elses_making_is_refused(owner: Caller, path: str, cursor: str) -> None:
    place = f"/api/venues/{a_venue(owner, csv=seat_csv('A', seats=1))}/seats" if path == "venue" else path

    answer = owner.get(place, params={"after": cursor})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == ["?after"]
