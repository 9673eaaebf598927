"""Customers: whom we sell to."""

from __future__ import annotations

import pytest

from tests.makers.callers import Caller, faults, refusal

ADA = {"name": "Ada Byron", "email": "ada@example.org"}


def test_a_customer_reads_as_they_were_made(boxoffice: Caller) -> None:
    made = boxoffice.post("/api/customers", {**ADA, "phone": "+49 30 123456", "customer_type": "CORPORATE"})

    assert made.status_code == 201
    assert boxoffice.read(f"/api/customers/{made.json()['id']}") == made.json()
    assert (made.json()["phone"], made.json()["customer_type"]) == ("+49 30 123456", "CORPORATE")


def test_a_customer_is_a_private_person_unless_said_otherwise(boxoffice: Caller) -> None:
    assert boxoffice.made("/api/customers", ADA)["customer_type"] == "INDIVIDUAL"


def test_two_customers_may_share_an_address(boxoffice: Caller) -> None:
    first, second = (boxoffice.made("/api/customers", {**ADA, "name": name}) for name in ("Ada", "Byron"))

    assert first["id"] != second["id"]


def test_customers_are_found_by_name_or_address(boxoffice: Caller) -> None:
    for name, email in (("Ada Byron", "ada@example.org"), ("Erika Muster", "erika@example.net")):
        boxoffice.made("/api/customers", {"name": name, "email": email})

    assert [one["name"] for one in boxoffice.everything("/api/customers", limit=1)] == ["Erika Muster", "Ada Byron"]
    assert [one["name"] for one in boxoffice.everything("/api/customers?q=BYRON")] == ["Ada Byron"]
    assert [one["name"] for one in boxoffice.everything("/api/customers?q=example.net")] == ["Erika Muster"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "ada"), ("email", "ada@"), ("name", "  "), ("name", "A\nB"), ("customer_type", "PIRATE"), ("phone", 30)],
)
def test_a_wrong_field_is_pointed_at(boxoffice: Caller, field: str, value: object) -> None:
    answer = boxoffice.post("/api/customers", {**ADA, field: value})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == [f"/{field}"]


def test_the_other_agency_sees_none_of_them(boxoffice: Caller, stranger: Caller) -> None:
    made = boxoffice.made("/api/customers", ADA)

    assert stranger.everything("/api/customers") == []
    assert refusal(stranger.get(f"/api/customers/{made['id']}")) == (404, "not_found")


def test_buyers_have_no_business_with_customers(buyer: Caller, anonymous: Caller) -> None:
    assert refusal(buyer.get("/api/customers")) == (403, "forbidden")
    assert refusal(anonymous.get("/api/customers")) == (401, "unauthenticated")
