"""The agency's settings."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.makers.callers import Caller, faults, refusal

Connection = psycopg.Connection[Any]
PATH = "/api/settings"


def test_an_agency_begins_with_ten_percent_and_the_installations_window(owner: Caller) -> None:
    settings = owner.read(PATH)

    assert (settings["service_fee_percent"], settings["reservation_window"]) == ("10.000", "PT15M")
    assert (settings["timezone"], settings["currency"]) == ("Europe/Berlin", "EUR")


def test_settings_are_replaced(owner: Caller) -> None:
    body = {"service_fee_percent": "12.5", "timezone": "Europe/Vienna", "reservation_window": "PT10M"}

    answer = owner.put(PATH, body)

    assert answer.status_code == 200
    assert owner.read(PATH) == answer.json()
    assert {name: answer.json()[name] for name in body} == {**body, "service_fee_percent": "12.500"}
    assert owner.read("/api/auth/me")["tenant"]["timezone"] == "Europe/Vienna"


def test_what_is_left_out_stays(owner: Caller) -> None:
    owner.put(PATH, {"reservation_window": "PT1H30M"})

    answer = owner.put(PATH, {"service_fee_percent": 5})

    assert (answer.json()["reservation_window"], answer.json()["service_fee_percent"]) == ("PT1H30M", "5.000")


def test_a_window_of_null_is_the_installations_again(owner: Caller) -> None:
    owner.put(PATH, {"reservation_window": "PT10M"})

    assert owner.put(PATH, {"reservation_window": None}).json()["reservation_window"] == "PT15M"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service_fee_percent", "-1"),
        ("service_fee_percent", "100.001"),
        ("service_fee_percent", "1.2345"),
        ("service_fee_percent", 12.5),
        ("service_fee_percent", True),
        ("service_fee_percent", "ten"),
        ("timezone", "Middle-earth/Shire"),
        ("timezone", "Europe/Berlin\x00"),
        ("reservation_window", "15 minutes"),
        ("reservation_window", 900),
        ("reservation_window", "PT0S"),
        ("reservation_window", "-PT5M"),
        ("reservation_window", "P400D"),
        ("reservation_window", "P99999999999D"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(owner: Caller, field: str, value: object) -> None:
    answer = owner.put(PATH, {field: value})

    assert refusal(answer) == (422, "invalid")
    assert [pointer for pointer, _ in faults(answer)] == [f"/{field}"]


def test_every_change_is_noted_with_who_made_it(owner: Caller, owner_connection: Connection) -> None:
    owner.put(PATH, {"service_fee_percent": "12", "timezone": "Europe/Berlin"})

    notes = owner_connection.execute(
        "SELECT from_status, to_status FROM history WHERE object = 'settings' AND by = %s",
        [owner.read("/api/auth/me")["email"]],
    ).fetchall()
    assert notes == [("service_fee_percent 10.000", "service_fee_percent 12")]


def test_a_change_on_an_old_reading_is_refused(owner: Caller) -> None:
    tag = owner.get(PATH).headers["ETag"]

    first = owner.put(PATH, {"service_fee_percent": "11"}, headers={"If-Match": tag})
    second = owner.put(PATH, {"service_fee_percent": "12"}, headers={"If-Match": tag})

    assert first.status_code == 200
    assert refusal(second) == (412, "version_mismatch")


def test_settings_are_the_owners_alone(
    owner: Caller, buyer: Caller, finance: Caller, boxoffice: Caller, stranger: Caller, anonymous: Caller
) -> None:
    stranger.put(PATH, {"service_fee_percent": "99"})

    for caller in (buyer, finance, boxoffice):
        assert refusal(caller.get(PATH)) == refusal(caller.put(PATH, {})) == (403, "forbidden")
    assert refusal(anonymous.get(PATH)) == (401, "unauthenticated")
    assert owner.read(PATH)["service_fee_percent"] == "10.000"
