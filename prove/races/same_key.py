"""One Idempotency-Key from twenty callers at once: one effect, and one answer or `request_in_progress`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.caller import Json
from prove.races.clients import Answer, Ask
from prove.races.ground import Ground, operations_of, token_of
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import Agency

CALLERS = 20
BUSY = "409 request_in_progress"


@dataclass(frozen=True)
class Deed:
    """Something that is asked for twenty times: the request, and how often the API then knows it."""

    ask: Ask
    effects: Callable[[Sequence[Answer]], int]


def run(ground: Ground, rounds: int) -> Tally:
    """Each round a customer is made, a seat reserved and a payment begun, each with a key of its own."""
    tally = Tally(rounds=rounds)
    agency = ground.agency()
    event_id, customer_id = agency.on_sale(seats=2 * rounds), agency.customer()
    free = agency.seats(event_id)
    for number in range(rounds):
        basket = {"customer_id": customer_id, "event_id": event_id}
        booking = agency.post("/api/bookings", {**basket, "seats": [free[2 * number]]})
        name = agency.named("Twin")
        _raced(ground, tally, _customer(agency, name))
        _raced(ground, tally, _seat(agency, {**basket, "seats": [free[2 * number + 1]]}, agency.named("seat")))
        _raced(ground, tally, _payment(ground, agency, booking, agency.named("card")))
    return tally


def _customer(agency: Agency, name: str) -> Deed:
    """Nothing but the key keeps a second customer of the same name away."""
    body = {"name": name, "email": "twin@mail.example"}
    ask = Ask(method="POST", path="/api/customers", token=token_of(agency), body=body, key=name)

    def effects(_: Sequence[Answer]) -> int:
        return sum(one["name"] == name for one in agency.caller.everything("/api/customers", q=name))

    return Deed(ask, effects)


def _seat(agency: Agency, body: Json, key: str) -> Deed:
    def known() -> int:
        return len(agency.caller.everything("/api/bookings", event_id=body["event_id"]))

    before = known()
    ask = Ask(method="POST", path="/api/bookings", token=token_of(agency), body=body, key=key)
    return Deed(ask, lambda _: known() - before)


def _payment(ground: Ground, agency: Agency, booking: Json, key: str) -> Deed:
    body = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": "tok_ok"}

    def effects(answers: Sequence[Answer]) -> int:
        ended = ground.ended(agency, operations_of(answers))
        return len([one for one in ended.values() if one["status"] == "succeeded"])

    return Deed(Ask(method="POST", path="/api/payments/process", token=token_of(agency), body=body, key=key), effects)


def _raced(ground: Ground, tally: Tally, deed: Deed) -> None:
    answers = ground.crowd.volley([deed.ask] * CALLERS)
    again = ground.crowd.volley([deed.ask])
    tally.heard([*answers, *again], clean=("201", "202", BUSY))
    yes = [answer for answer in [*answers, *again] if answer.status < 300]
    tally.expect({_told(answer) for answer in yes}, {_told(yes[0])} if yes else {"a yes"}, "the answers to one key")
    tally.expect(sum(not answer.replayed for answer in yes), 1, "first answers")
    tally.expect(deed.effects(yes), 1, f"effects of one key at {deed.ask.path}")
    tally.count("effects")
    tally.count("replayed", sum(answer.replayed for answer in yes))
    tally.count("told to wait", sum(answer.said == BUSY for answer in answers))


def _told(answer: Answer) -> str:
    """An operation is answered in its present state; everything else byte by byte."""
    return str(answer.json["id"]) if answer.status == 202 else answer.content.decode()


RACE = Race(
    name="key",
    sentence="20 callers send the same request with the same Idempotency-Key at once: a customer, a reservation, a payment",
    expected="one effect; every yes is the same answer, everybody else hears 409 request_in_progress",
    rounds=50,
    run=run,
)
