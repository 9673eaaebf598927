"""Suppliers: whom we buy from."""

from __future__ import annotations

import pytest

from tests.makers.callers import Caller, faults, refusal

SUPPLIER = {
    "name": "Stadthalle GmbH",
    "supplier_type": "VENUE_OWNER",
    "email": "orders@stadthalle.example",
    "payment_terms": "NET_30",
}


def test_a_supplier_reads_as_it_was_made(buyer: Caller) -> None:
    answer = buyer.post("/api/suppliers", {**SUPPLIER, "wholesale_discount_rate": "0.15", "notes": "Nice\npeople"})

    made = answer.json()
    assert answer.status_code == 201
    assert buyer.read(f"/api/suppliers/{made['id']}") == made
    assert (made["wholesale_discount_rate"], made["active"], made["notes"]) == ("0.1500", True, "Nice\npeople")


def test_orders_are_mailed_so_a_supplier_has_an_address(buyer: Caller) -> None:
    answer = buyer.post("/api/suppliers", {name: SUPPLIER[name] for name in SUPPLIER if name != "email"})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("/email", "required")])


@pytest.mark.parametrize("terms", ["IMMEDIATE", "NET_30", "NET_60", "NET_7"])
def test_payment_terms_are_immediate_or_net(buyer: Caller, terms: str) -> None:
    assert buyer.made("/api/suppliers", {**SUPPLIER, "payment_terms": terms})["payment_terms"] == terms


@pytest.mark.parametrize("kind", ["EVENT_ORGANIZER", "VENUE_OWNER", "PROMOTER", "PRODUCTION_COMPANY"])
def test_suppliers_are_of_the_kinds_the_trade_knows(buyer: Caller, kind: str) -> None:
    assert buyer.made("/api/suppliers", {**SUPPLIER, "supplier_type": kind})["supplier_type"] == kind


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payment_terms", "NET_X"),
        ("payment_terms", "LATER"),
        ("name", ""),
        ("email", "nobody"),
        ("email", None),
        ("wholesale_discount_rate", "2"),
    ],
)
def test_a_wrong_field_is_pointed_at(buyer: Caller, field: str, value: str) -> None:
    answer = buyer.post("/api/suppliers", {**SUPPLIER, field: value})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == [f"/{field}"]


def test_a_supplier_is_replaced_whole(buyer: Caller) -> None:
    made = buyer.made("/api/suppliers", {**SUPPLIER, "notes": "old"})
    path = f"/api/suppliers/{made['id']}"

    changed = buyer.put(path, {**SUPPLIER, "name": "Halle AG", "payment_terms": "NET_60"})

    assert changed.status_code == 200
    assert buyer.read(path) == changed.json()
    assert (changed.json()["name"], changed.json()["notes"], changed.json()["version"]) == ("Halle AG", None, 2)


def test_deactivating_twice_is_no_error(buyer: Caller) -> None:
    path = f"/api/suppliers/{buyer.made('/api/suppliers', SUPPLIER)['id']}"

    answers = [buyer.delete(path), buyer.delete(path)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]
    assert buyer.read(path)["active"] is False
    assert buyer.everything("/api/suppliers?active=true") == []


def test_the_other_agency_and_the_box_office_see_none(
    buyer: Caller, stranger: Caller, boxoffice: Caller, anonymous: Caller
) -> None:
    path = f"/api/suppliers/{buyer.made('/api/suppliers', SUPPLIER)['id']}"

    for method in ("GET", "DELETE"):
        assert refusal(stranger.call(method, path)) == (404, "not_found")
        assert refusal(boxoffice.call(method, path)) == (403, "forbidden")
        assert refusal(anonymous.call(method, path)) == (401, "unauthenticated")
    assert stranger.everything("/api/suppliers") == []
    assert buyer.read(path)["active"] is True


@pytest.mark.parametrize(
    ("q", "found"), [("%25", ["100% Tickets"]), ("_", ["A_B"]), ("%5C", ["Back\\Stage"]), ("TICKETS", ["100% Tickets"])]
)
def test_what_is_looked_for_is_meant_literally(buyer: Caller, q: str, found: list[str]) -> None:
    for name in ("100% Tickets", "A_B", "Back\\Stage"):
        buyer.made("/api/suppliers", {**SUPPLIER, "name": name})

    assert [supplier["name"] for supplier in buyer.everything(f"/api/suppliers?q={q}")] == found
