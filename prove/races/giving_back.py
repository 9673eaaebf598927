"""C6: fifty cancellations of one ticket each and one of everything, all at once, on one booking."""

from __future__ import annotations

from decimal import Decimal

from demo.caller import Json
from prove.races.clients import Ask
from prove.races.ground import Ground, operations_of, refused_cleanly, succeeded, token_of
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import Agency, money

MANY = 50
MOST_BOOKINGS = 10
REASON = "CUSTOMER_REQUEST"
# Prices that do not divide, so that a cent that is lost or made is seen.
PRICES = {"1-17": "19.99", "18-33": "33.33", "51-67": "7.77"}
AT_ONCE = ("202", "409 ticket_not_valid", "409 wrong_state")
LATER = ("ticket_not_valid", "wrong_state", "quote_stale")


def run(ground: Ground, rounds: int) -> Tally:
    """A fresh booking a round."""
    tally = Tally(rounds=rounds)
    left = rounds
    while left:
        bookings = min(left, MOST_BOOKINGS)
        _at_one_event(ground, tally, bookings)
        left -= bookings
    return tally


def _at_one_event(ground: Ground, tally: Tally, rounds: int) -> None:
    agency = ground.agency()
    event_id, customer_id = agency.on_sale(seats=rounds * MANY), agency.customer()
    for seats, price in PRICES.items():
        body = {"seats": [f"Stalls/1/{seats}"], "retail_price": money(price)}
        if rounds * MANY >= int(seats.partition("-")[2]):
            agency.post(f"/api/inventory/events/{event_id}/prices", body)
    free = agency.seats(event_id)
    for number in range(rounds):
        mine = free[number * MANY : (number + 1) * MANY]
        _one_booking(ground, tally, agency, _bought(agency, event_id, customer_id, mine))


def _bought(agency: Agency, event_id: str, customer_id: str, seats: list[str]) -> Json:
    booking = agency.post("/api/bookings", {"customer_id": customer_id, "event_id": event_id, "seats": seats})
    card = {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": "tok_ok"}
    agency.caller.does("/api/payments/process", card, key=agency.named("pay"))
    found: Json = agency.caller.get(f"/api/bookings/{booking['id']}")
    return found


def _one_booking(ground: Ground, tally: Tally, agency: Agency, booking: Json) -> None:
    path, token = f"/api/bookings/{booking['id']}", token_of(agency)
    asks = [
        Ask(
            method="POST",
            path=f"{path}/tickets/cancel",
            token=token,
            body={"ticket_ids": [ticket["id"]], "reason": REASON},
        )
        for ticket in booking["tickets"]
    ]
    asks.insert(ground.dice.randrange(MANY + 1), Ask(method="DELETE", path=f"{path}?reason={REASON}", token=token))
    answers = ground.crowd.volley(asks)
    tally.heard(answers, clean=AT_ONCE)
    operations = list(ground.ended(agency, operations_of(answers)).values())
    refused_cleanly(tally, operations, clean=LATER)
    given = sum((_amount(one["result"]["refund_total"]) for one in succeeded(operations)), Decimal(0))
    tally.count("cancellations carried out", len(succeeded(operations)))
    _check(tally, agency, booking, given)


def _check(tally: Tally, agency: Agency, booking: Json, given: Decimal) -> None:
    """Every ticket given up once, and every price given back once, to the cent; the fee is kept."""
    path, number = f"/api/bookings/{booking['id']}", booking["booking_number"]
    summary, now = agency.caller.get(f"{path}/summary"), agency.caller.get(path)
    due = sum((_amount(ticket["price"]) for ticket in booking["tickets"]), Decimal(0))
    settled = [one for one in agency.caller.get(f"{path}/refunds")["data"] if one["status"] == "SETTLED"]
    tally.expect({ticket["status"] for ticket in now["tickets"]}, {"CANCELLED"}, f"the tickets of {number}")
    tally.expect((now["status"], now["ticket_count"]), ("REFUNDED", 0), f"the end of {number}")
    tally.expect(given, due, f"what the operations on {number} say they gave back")
    tally.expect(sum((_amount(one["amount"]) for one in settled), Decimal(0)), due, f"refunds settled of {number}")
    tally.expect(_amount(summary["refunded"]), due, f"refunded of {number}")
    tally.expect(_amount(summary["refunds_pending"]), Decimal(0), f"refunds pending of {number}")
    tally.expect(
        _amount(summary["paid"]) - due, _amount(booking["service_fee"]), f"what is left of the money for {number}"
    )


def _amount(value: Json) -> Decimal:
    return Decimal(value["amount"])


RACE = Race(
    name="c6",
    sentence="50 cancellations of one ticket each and one of the whole booking, at once, on a paid booking of 50 tickets",
    expected="every ticket is given up once and its price given back once, to the cent; only the fee is kept",
    rounds=20,
    run=run,
)
