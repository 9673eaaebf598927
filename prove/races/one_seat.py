"""C1: everybody wants the same seat."""

from __future__ import annotations

from demo.caller import Json
from prove.races.clients import Ask
from prove.races.ground import Ground, token_of
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import Agency

GONE = "409 seats_unavailable"
MOST_SEATS = 500
"""Of one event; a longer race goes on at the next one."""


def run(ground: Ground, rounds: int) -> Tally:
    """A fresh seat a round, all clients at once."""
    tally = Tally(rounds=rounds)
    left = rounds
    while left:
        seats = min(left, MOST_SEATS)
        _at_one_event(ground, tally, seats)
        left -= seats
    return tally


def _at_one_event(ground: Ground, tally: Tally, rounds: int) -> None:
    agency = ground.agency(window="PT1H")
    event_id, customer_id = agency.on_sale(seats=rounds), agency.customer()
    promised: dict[str, Json] = {}
    for seat_id in agency.seats(event_id):
        body = {"customer_id": customer_id, "event_id": event_id, "seats": [seat_id]}
        ask = Ask(method="POST", path="/api/bookings", token=token_of(agency), body=body)
        answers = ground.crowd.volley([ask] * ground.crowd.clients)
        tally.heard(answers, clean=("201", GONE))
        won = [answer.json for answer in answers if answer.status == 201]
        tally.count("winners", len(won))
        tally.count("refused", sum(answer.said == GONE for answer in answers))
        tally.expect(len(won), 1, f"winners of seat {seat_id}")
        promised |= {booking["id"]: {"seats": [seat_id], "booking": booking} for booking in won}
    check_promises(tally, agency, event_id, promised)


def check_promises(tally: Tally, agency: Agency, event_id: str, promised: dict[str, Json]) -> None:
    """The API knows exactly the bookings that it promised, whole, and each of their seats is reserved once."""
    known = agency.caller.everything("/api/bookings", event_id=event_id)
    tally.expect(sorted(one["id"] for one in known), sorted(promised), "the bookings that exist")
    tally.expect({one["status"] for one in known}, {"RESERVED"} if known else set(), "the bookings' statuses")
    seats = agency.caller.everything(f"/api/inventory/events/{event_id}/seats", status="RESERVED")
    wanted = sorted(seat_id for one in promised.values() for seat_id in one["seats"])
    tally.expect(sorted(seat["event_seat_id"] for seat in seats), wanted, "the seats that are reserved")
    for one in promised.values():
        got = sorted(ticket["event_seat_id"] for ticket in one["booking"]["tickets"])
        tally.expect(got, sorted(one["seats"]), f"the seats of booking {one['booking']['booking_number']}")


RACE = Race(
    name="c1",
    sentence="200 clients want the same seat at once, a fresh seat every round",
    expected="exactly one 201 and 199 times 409 seats_unavailable a round; the API then knows exactly the promised bookings",
    rounds=1000,
    run=run,
)
