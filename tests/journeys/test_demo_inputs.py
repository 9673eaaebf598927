"""The files of examples/ are what a month of trade looks like, fit together, and are what their generator makes."""

from __future__ import annotations

import importlib.util
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from demo import main as demo_main
from demo.books import was_sold
from demo.inputs import EXAMPLES, Delivery, Inputs, load, read_note
from demo.month import Checks
from demo.printing import age
from demo.screen import Screen
from demo.stories import CARD, ENDS, STORIES
from domain import selectors
from domain.payables import Terms
from domain.places import SeatLine, parse_seat_csv
from domain.receiving import parse_delivery_csv

Name = tuple[str, str, str]


@cache
def month() -> Inputs:
    return load()


@cache
def hall(venue: str) -> tuple[SeatLine, ...]:
    file = next(one["file"] for one in month().venues if one["key"] == venue)
    return parse_seat_csv(file.read_bytes())


def names(venue: str) -> dict[Name, Name]:
    return {(seat.section, seat.row, seat.seat): (seat.section, seat.row, seat.seat) for seat in hall(venue)}


def venue_of(event: str) -> str:
    return next(one.venue for one in month().events if one.key == event)


def seats_of(delivery: Delivery) -> dict[int, list[Name]]:
    """What a note names by line; a block names nothing, so it gives that many blanks."""
    order = next(one for one in month().orders if one.key == delivery.order)
    if delivery.is_csv:
        rows = parse_delivery_csv(delivery.path.read_bytes(), currency="EUR")
        return {1: [(row.section, row.row, row.seat) for row in rows]}
    found: dict[int, list[Name]] = {}
    for line in delivery.lines():
        known = names(venue_of(order.lines[line["line"] - 1]["event"]))
        named = resolved(line["seats"], known) if "seats" in line else []
        found.setdefault(line["line"], []).extend(named or [("", "", "")] * line.get("quantity", 0))
    return found


def resolved(texts: list[str], known: dict[Name, Name]) -> list[Name]:
    return list(selectors.resolve(texts, seats=known, pointer=str))


def taken_in() -> list[Delivery]:
    return [one for one in month().deliveries if not one.refused and not one.again]


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_make", EXAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look for their module by name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "examples_make", module)
        spec.loader.exec_module(module)
    return module


def test_the_made_files_are_what_the_generator_makes() -> None:
    made = generator().files()

    assert {path: (EXAMPLES / path).read_bytes() for path in made} == {path: made[path].encode() for path in made}


def test_the_hall_has_what_real_halls_have() -> None:
    seats = hall("halle")
    labels = {(seat.section, seat.row, seat.seat) for seat in seats}
    kinds = Counter(seat.seat_type for seat in seats)

    assert len(seats) >= 2000
    assert len({seat.section for seat in seats}) > 3
    assert {("Parkett", "A", "12A"), ("Empore", "1", "007"), ("Rang Mitte", "Ä", "1")} <= labels
    assert kinds["WHEELCHAIR"] == kinds["COMPANION"] == 12
    assert not {("Parkett", "A", "23"), ("Parkett", "A", "24")} & labels


def test_one_hall_comes_from_a_spreadsheet_with_semicolons_bom_and_decimal_commas() -> None:
    raw = (EXAMPLES / "venues" / "kammerspiele.csv").read_bytes()

    assert raw.startswith(b"\xef\xbb\xbf")
    assert b";" in raw.splitlines()[0]
    assert hall("kammer")[0].x == Decimal("0.520")


def test_there_are_three_suppliers_with_three_terms_eight_orders_and_six_events() -> None:
    terms = [one["payment_terms"] for one in month().suppliers]

    assert terms == ["NET_30", "NET_60", "IMMEDIATE"]
    assert all(Terms.parse(one.facts.get("payment_terms", "NET_30")) for one in month().orders)
    assert len(month().orders) == 8
    assert len(month().events) == 6
    assert {line["event"] for order in month().orders for line in order.lines} == {one.key for one in month().events}


def test_everything_refers_to_something_there_is() -> None:
    events, orders = {one.key for one in month().events}, {one.key for one in month().orders}
    emails = {one["email"] for one in month().customers}

    assert {one.venue for one in month().events} <= {one["key"] for one in month().venues}
    assert {one.supplier for one in month().orders} <= {one["key"] for one in month().suppliers}
    assert {one.order for one in month().deliveries} <= orders
    assert {one.order for one in month().payments if one.order} <= orders
    assert {one.bill_of for one in month().payments if one.bill_of} <= {one.reference for one in month().deliveries}
    assert {one.event for one in month().baskets} <= events
    assert {one.customer for one in month().baskets} <= emails


@pytest.mark.parametrize("delivery", load().deliveries, ids=lambda one: one.path.name)
def test_a_delivery_note_names_seats_of_the_hall(delivery: Delivery) -> None:
    found = seats_of(delivery)

    assert sum(map(len, found.values())) == (delivery.received or 76)


def test_no_line_gets_more_than_was_confirmed_and_one_order_stays_open() -> None:
    received: Counter[tuple[str, int]] = Counter()
    for delivery in taken_in():
        received.update({(delivery.order, line): len(seats) for line, seats in seats_of(delivery).items()})
    confirmed: dict[tuple[str, int], int] = {
        (order.key, number): order.confirmed.get(number) or line["quantity"]
        for order in month().orders
        for number, line in enumerate(order.lines, 1)
    }
    cancelled = {one["order"]: one["cancelled"] for one in month().cancelled_orders}

    short = {order: confirmed[order, line] - received[order, line] for order, line in confirmed}
    assert all(received[line] <= confirmed[line] for line in confirmed)
    assert {order for (order, line) in confirmed if received[order, line] < confirmed[order, line]} == {
        "messias-parkett",
        "neujahr-logen",
    }
    assert short["messias-parkett"] == cancelled["messias-parkett"]


def test_no_seat_is_delivered_twice_but_for_the_note_that_must_be_refused() -> None:
    owned: Counter[tuple[str, Name]] = Counter()
    for delivery in taken_in():
        order = next(one for one in month().orders if one.key == delivery.order)
        for line, seats in seats_of(delivery).items():
            owned.update((order.lines[line - 1]["event"], seat) for seat in seats if seat[0])
    wrong = next(one for one in month().deliveries if one.refused)

    assert max(owned.values()) == 1
    assert any(owned["polar", seat] for seat in seats_of(wrong)[1])


def test_deliveries_come_in_every_form_and_one_comes_twice() -> None:
    kinds = Counter(one.path.suffix for one in taken_in())
    blocks = [line for one in taken_in() if one.path.suffix == ".json" for line in one.lines() if "block" in line]
    spreadsheet = next(one.path for one in taken_in() if one.is_csv).read_bytes()

    assert set(kinds) == {".txt", ".json", ".csv"}
    assert blocks
    assert spreadsheet.startswith(b"\xef\xbb\xbf")
    assert b"31,2000" in spreadsheet
    assert sum(one.again for one in month().deliveries) == 1


def test_deliveries_are_spread_over_the_month_and_none_is_paid_before_it_came() -> None:
    days = {one.reference: one.days_ago for one in month().deliveries}

    assert min(days.values()) < 7
    assert 21 < max(days.values()) < 31
    assert all(one.days_ago <= days[one.bill_of] for one in month().payments if one.bill_of)


def test_a_note_in_plain_text_is_read_by_position() -> None:
    text = "Lieferschein 7/2026\nPos. 1  Saal\n  Saal/1/1-3\n\nPos. 2\nBalkon/1/*\nMit freundlichen Grüßen"

    assert read_note(text) == [{"line": 1, "seats": ["Saal/1/1-3"]}, {"line": 2, "seats": ["Balkon/1/*"]}]


def test_the_price_list_names_seats_and_sensible_prices() -> None:
    for price in month().prices:
        assert resolved([price.selector], names(venue_of(price.event)))
        assert 10 < price.retail_price < 200


def test_there_are_400_baskets_of_150_customers_with_every_story() -> None:
    stories = Counter(one.story for one in month().baskets)

    assert len(month().baskets) == 400
    assert len({one["email"] for one in month().customers}) == 150
    assert set(stories) == set(STORIES) == set(ENDS)
    assert stories["kept"] > 200
    assert all(1 <= one.seats <= 50 for one in month().baskets)
    assert all(one.seats > 1 for one in month().baskets if one.story == "cancelled_in_part")
    assert {one.card for one in month().baskets if one.story in ("kept", "takes_over")} == {CARD}


def test_who_takes_over_wants_what_another_loses() -> None:
    baskets = {one.number: one for one in month().baskets}
    takers = [one for one in month().baskets if one.takes_over]

    assert [one.story for one in takers] == ["takes_over"] * 4
    assert all(baskets[one.takes_over].story == "late_taken" for one in takers)
    assert all(baskets[one.takes_over].seats == one.seats for one in takers)
    assert all(baskets[one.takes_over].event == one.event for one in takers)


def test_every_event_has_room_for_all_who_want_to_come() -> None:
    wanted: Counter[str] = Counter()
    for basket in month().baskets:
        wanted[basket.event] += basket.seats
    owned: Counter[str] = Counter()
    for delivery in taken_in():
        order = next(one for one in month().orders if one.key == delivery.order)
        for line, seats in seats_of(delivery).items():
            owned[order.lines[line - 1]["event"]] += len(seats)

    assert all(wanted[event] <= owned[event] * 0.9 for event in owned)


def test_nobody_gives_tickets_back_for_an_event_that_is_over() -> None:
    over = {one.key for one in month().events if one.over_after_sales}

    stories = {one.story for one in month().baskets if one.event in over}

    assert not {story for story in stories if story.startswith(("cancelled", "refund", "late", "takes"))}


def test_an_event_far_away_begins_at_its_hour_where_it_takes_place() -> None:
    event = replace(month().events[0], days_from_now=3, starts_at="17:00", minutes=120)

    start, end = event.times(datetime(2026, 10, 23, 12, tzinfo=UTC))

    assert start == datetime(2026, 10, 26, 16, tzinfo=UTC)
    assert end == datetime(2026, 10, 26, 18, tzinfo=UTC)


def test_figures_that_differ_fail_the_demo_with_a_line_that_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks(Screen())

    checks.same("Inventory", journal=Decimal("10.00"), seats=Decimal("10.00"))
    checks.same("Payables", journal=Decimal("10.00"), bills=Decimal("9.99"))
    checks.expect("a booking", "CONFIRMED", wanted="CONFIRMED")
    checks.expect("a delivery", "over_delivery", wanted="")

    assert checks.failed == [
        "Payables: 10.00 (journal) is not 9.99 (bills)",
        "a delivery: over_delivery, not ",
    ]
    said = capsys.readouterr().out
    assert "FAILS  Payables: 10.00 (journal) is not 9.99 (bills)" in said
    assert "holds  Inventory" in said
    assert "a booking" not in said


def test_a_failed_check_is_a_failed_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_main, "OUT", tmp_path)
    good, bad = Checks(Screen()), Checks(Screen())

    bad.same("Payables", journal=1, bills=2)

    assert demo_main.conclude(Screen(), good, seconds=1) == 0
    assert demo_main.conclude(Screen(), bad, seconds=1) == 1


@pytest.mark.parametrize(
    ("due", "stretch"),
    [
        ("2026-11-21", "not yet due"),
        ("2026-11-20", "1-30"),
        ("2026-10-22", "1-30"),
        ("2026-10-21", "31-60"),
        ("2025-01-01", "over 90"),
    ],
)
def test_a_bill_is_as_old_as_the_days_it_is_past_due(due: str, stretch: str) -> None:
    assert age({"due_date": due}, date(2026, 11, 21)) == stretch


def test_only_what_was_paid_counts_as_sold() -> None:
    def booking(status: str, reason: str | None, paid: str) -> dict[str, object]:
        return {"status": status, "cancellation_reason": reason, "paid": {"amount": paid, "currency": "EUR"}}

    assert was_sold(booking("CONFIRMED", None, "20.00"))
    assert was_sold(booking("REFUNDED", "CUSTOMER_REQUEST", "20.00"))
    assert not was_sold(booking("CANCELLED", "CUSTOMER_REQUEST", "0.00"))
    assert not was_sold(booking("CANCELLED", "EXPIRED", "20.00"))
    assert not was_sold(booking("CANCELLED", "PAYMENT_FAILED", "0.00"))
