"""C4: at the instant a reservation ends, the clock, the payer, the seller who lets it go and the next buyers meet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from demo.caller import Json
from prove.races.clients import Ask
from prove.races.ground import GRACE_SECONDS, Ground, operations_of, token_of
from prove.races.judging import WINDOW_SECONDS, Duel, judge
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import Agency

FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 50, 20, 300
RESERVED_WITHIN = 1.0
"""Seconds. As many reservations as the house makes in that time run out together; more would queue, not meet."""
JITTER = 0.04
"""Seconds around the instant; what is sent then arrives on both sides of it."""
EARLY = 10 * JITTER
"""Seconds before it at which half of the payers and sellers act, so that on a slow house some are in time as well."""
EXPIRED_WITHIN = 5
"""Seconds within which a booking past its time reads as ended."""
MOST_SEATS = 2500
SHARES = {"let go": 0.3, "pay": 0.2, "late word": 0.15, "late money": 0.05, "lapse": 0.3}
"""How the races are dealt. Paying is the smaller part: the engine carries some dozens of payments a second."""
CLEAN = {
    "buy": ("201", "409 seats_unavailable"),
    "pay": ("202", "409 booking_ended", "409 reservation_expired", "409 payment_in_progress"),
    "let go": ("202", "409 wrong_state", "409 payment_in_progress"),
}


def run(ground: Ground, rounds: int) -> Tally:
    """Each race has a seat of its own; some hundred of them are run at a time."""
    tally = Tally(rounds=rounds)
    left = rounds
    while left:
        races = min(left, MOST_SEATS)
        _at_one_event(ground, tally, races)
        left -= races
    return tally


def _at_one_event(ground: Ground, tally: Tally, races: int) -> None:
    agency = ground.agency(window=f"PT{WINDOW_SECONDS}S")
    event_id, customer_id = agency.on_sale(seats=races), agency.customer()
    seats = agency.seats(event_id)
    basket = {"event_id": event_id, "customer_id": customer_id}
    duels: list[Duel] = []
    size = FIRST_BATCH
    while len(duels) < races:
        began = time.monotonic()
        batch = _reserved(ground, tally, agency, basket, seats[len(duels) :][:size])
        took = time.monotonic() - began
        _fought(ground, tally, agency, basket, batch)
        duels += batch
        size = round(min(max(len(batch) * RESERVED_WITHIN / took, SMALLEST_BATCH), LARGEST_BATCH))
    over = max(duel.ends_at for duel in duels) + WINDOW_SECONDS + GRACE_SECONDS + EXPIRED_WITHIN
    time.sleep(max(over - time.time(), 0))
    judge(ground, tally, agency, event_id, duels)


def _reserved(ground: Ground, tally: Tally, agency: Agency, basket: Json, seats: Sequence[str]) -> list[Duel]:
    """Raises LookupError when a free seat could not be reserved: there is nothing to race about then."""
    kinds = ground.dice.choices(list(SHARES), list(SHARES.values()), k=len(seats))
    answers = ground.crowd.volley([_buys(agency, basket, seat_id) for seat_id in seats])
    tally.heard(answers, clean=("201",))
    if any(answer.status != 201 for answer in answers):
        raise LookupError(f"free seats could not be reserved: {tally.faults}")
    taken = zip(kinds, seats, answers, strict=True)
    return [Duel(kind, seat_id, answer.json) for kind, seat_id, answer in taken]


def _fought(ground: Ground, tally: Tally, agency: Agency, basket: Json, batch: Sequence[Duel]) -> None:
    """Everybody acts at the instant; what does not wait for a silent provider is awaited, so that the next batch meets a
    quiet house.
    """
    acts = [(ask.at, duel, act, ask) for duel in batch for act, ask in _acts(ground, agency, basket, duel)]
    acts.sort(key=lambda one: one[0])
    answers = ground.crowd.volley([ask for *_, ask in acts])
    for (at, duel, act, _), answer in zip(acts, answers, strict=True):
        tally.heard([answer], clean=CLEAN[act])
        duel.heard.append((act, answer))
        tally.count("asked after its reservation's end", int(at > duel.ends_at))
    slow = [duel.kind == "late money" for _, duel, *_ in acts]
    ground.ended(agency, operations_of([one for one, is_slow in zip(answers, slow, strict=True) if not is_slow]))


def _acts(ground: Ground, agency: Agency, basket: Json, duel: Duel) -> Iterator[tuple[str, Ask]]:
    def near(instant: float, *, early: bool = False) -> float:
        before = ground.dice.choice((0.0, EARLY)) if early else 0.0
        return instant - before + ground.dice.uniform(-JITTER, JITTER)

    ends = duel.ends_at
    if duel.kind == "let go":
        yield "let go", _lets_go(agency, duel, at=near(ends, early=True))
    elif duel.kind == "pay":
        yield "pay", _pays(agency, duel, "tok_ok", at=near(ends, early=True))
        if ground.dice.random() < 0.5:
            yield "let go", _lets_go(agency, duel, at=near(ends, early=True))
    elif duel.kind == "late word":
        # The provider says yes about when the grace is over, and the next buyers come with it.
        slow = int(1000 * (EARLY + GRACE_SECONDS + ground.dice.uniform(-0.4, 0.1)))
        yield "pay", _pays(agency, duel, f"tok_slow_{slow}", at=ends - EARLY)
        ends += GRACE_SECONDS
    elif duel.kind == "late money":
        # The provider says nothing in time and takes the money by itself; a look-up finds it when the seat is long free.
        yield "pay", _pays(agency, duel, f"tok_late_{ground.dice.randrange(500, 3000)}", at=ends - EARLY)
        ends += GRACE_SECONDS
    for _ in range(2):
        yield "buy", _buys(agency, basket, duel.seat_id, at=near(ends))


def _buys(agency: Agency, basket: Json, seat_id: str, *, at: float = 0.0) -> Ask:
    body = {**basket, "seats": [seat_id]}
    return Ask(method="POST", path="/api/bookings", token=token_of(agency), body=body, at=at)


def _pays(agency: Agency, duel: Duel, card: str, *, at: float) -> Ask:
    body = {"booking_id": duel.booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": card}
    return Ask(method="POST", path="/api/payments/process", token=token_of(agency), body=body, at=at)


def _lets_go(agency: Agency, duel: Duel, *, at: float) -> Ask:
    path = f"/api/bookings/{duel.booking['id']}?reason=CUSTOMER_REQUEST"
    return Ask(method="DELETE", path=path, token=token_of(agency), at=at)


RACE = Race(
    name="c4",
    sentence=(
        "at the instant a reservation (or a payment's grace) ends: the house's own clock, a payment, a release and two"
        " next buyers of the seat"
    ),
    expected=(
        "one end per booking, and the one the answers promised; no seat is held by two at any moment (the next one's basket"
        " holds it for four seconds; only then may late money have it again); no charge is kept without tickets"
    ),
    rounds=10_000,
    run=run,
)
