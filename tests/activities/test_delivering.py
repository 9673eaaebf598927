"""What a delivery would do, asked by notes of a size that nobody means: answered, or refused, in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from db.transaction import Database
from tests.makers.access import Agency
from tests.makers.buying import Buying, a_line, buying_in
from tests.makers.callers import Caller, faults, refusal
from tests.makers.places import a_venue, an_event


def a_big_hall(seats: int) -> bytes:
    """So many seats of one section, in rows of a hundred."""
    return "\n".join(["section,row,seat", *(f"Parkett,{n // 100 + 1},{n % 100 + 1}" for n in range(seats))]).encode()


@pytest.fixture
def buying(database: Database, tenant: Agency, owner: Caller, buyer: Caller, finance: Caller) -> Buying:
    return buying_in(database, owner=owner, buyer=buyer, finance=finance, tenant_id=tenant.id, csv=a_big_hall(10_000))


def previewed(buying: Buying, order: Any, lines: list[dict[str, Any]]) -> Any:
    body = {"delivery_reference": "LS-1", "lines": lines}
    return buying.ask(order["id"], "receive", body, params={"preview": True})


def test_the_lists_of_a_note_are_counted_over_all_its_events(buying: Buying, owner: Caller) -> None:
    other = an_event(owner, venue_id=a_venue(owner, name="Oper"))["id"]
    order = buying.confirmed(a_line(buying.event_id), a_line(other))
    lines = [{"line_id": line["id"], "seats": ["Parkett/1/1-60000"]} for line in order["lines"]]

    answer = previewed(buying, order, lines)

    assert (refusal(answer), faults(answer)) == (
        (422, "invalid_selector"),
        [("/lines/1/seats/0", "invalid_selector")],
    )


def test_every_unreadable_selector_is_named_before_a_seat_of_any_event_is_looked_up(
    buying: Buying, owner: Caller
) -> None:
    other = an_event(owner, venue_id=a_venue(owner, name="Oper"))["id"]
    order = buying.confirmed(a_line(buying.event_id), a_line(other))
    lines = [
        {"line_id": line["id"], "seats": [text]}
        for line, text in zip(order["lines"], ["Parkett/1/999", "Parkett/A/5-1"], strict=True)
    ]

    assert faults(previewed(buying, order, lines)) == [("/lines/1/seats/0", "invalid_selector")]


def test_thousands_of_blocks_of_one_section_are_one_walk_through_it(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=5_000))
    block = {"line_id": order["lines"][0]["id"], "block": {"section": "Parkett"}, "quantity": 1}
    start = time.perf_counter()

    shown = previewed(buying, order, [block] * 5_000).json()

    assert (shown["received"], shown["lines"][0]["seats"][0]["seats"]) == (5_000, "1-100")
    assert time.perf_counter() - start < 10


def test_blocks_that_share_seats_take_them_in_turn_and_say_what_is_left(buying: Buying) -> None:
    order = buying.confirmed(a_line(buying.event_id, quantity=500))
    line_id = order["lines"][0]["id"]
    wanted: list[tuple[str, int]] = [("1-2", 150), ("1", 20), ("2", 30), ("1-2", 1)]
    lines = [
        {"line_id": line_id, "block": {"section": "Parkett", "rows": rows}, "quantity": quantity}
        for rows, quantity in wanted
    ]

    answer = previewed(buying, order, lines)

    assert (refusal(answer), faults(answer)) == ((409, "block_too_small"), [("/lines/1/quantity", "block_too_small")])
    assert (answer.json()["available"], answer.json()["requested"]) == (0, 20)
