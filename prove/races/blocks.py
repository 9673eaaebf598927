"""C2: everybody wants a block of seats together, and the blocks overlap."""

from __future__ import annotations

from collections.abc import Sequence

from demo.caller import Json
from prove.races.clients import Answer, Ask
from prove.races.ground import Ground, token_of
from prove.races.one_seat import GONE, check_promises
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import ROW

BUYERS = 100
LARGEST = 8
MOST_ROWS = 20
"""Of one hall; a longer race goes on in the next one."""


def run(ground: Ground, rounds: int) -> Tally:
    """A fresh row a round."""
    tally = Tally(rounds=rounds)
    left = rounds
    while left:
        rows = min(left, MOST_ROWS)
        _in_one_hall(ground, tally, rows)
        left -= rows
    return tally


def _in_one_hall(ground: Ground, tally: Tally, rows: int) -> None:
    agency = ground.agency(window="PT1H")
    event_id, customer_id = agency.on_sale(seats=rows * ROW), agency.customer()
    seats = agency.seats(event_id)
    promised: dict[str, Json] = {}
    for row in range(rows):
        blocks = [_block(ground, seats[row * ROW : (row + 1) * ROW]) for _ in range(min(BUYERS, ground.crowd.clients))]
        asks = [
            Ask(
                method="POST",
                path="/api/bookings",
                token=token_of(agency),
                body={"customer_id": customer_id, "event_id": event_id, "seats": block},
            )
            for block in blocks
        ]
        answers = ground.crowd.volley(asks)
        tally.heard(answers, clean=("201", GONE))
        tally.count("winners", sum(answer.status == 201 for answer in answers))
        tally.count("refused", sum(answer.said == GONE for answer in answers))
        promised |= _judged(tally, blocks, answers)
    tally.count("seats taken", sum(len(one["seats"]) for one in promised.values()))
    check_promises(tally, agency, event_id, promised)


def _block(ground: Ground, row: Sequence[str]) -> list[str]:
    """Neighbours, named in any order."""
    size = ground.dice.randint(1, LARGEST)
    first = ground.dice.randrange(len(row) - size + 1)
    block = list(row[first : first + size])
    ground.dice.shuffle(block)
    return block


def _judged(tally: Tally, blocks: Sequence[list[str]], answers: Sequence[Answer]) -> dict[str, Json]:
    """What was promised; no seat to two, and nobody was refused a block that is free in the end."""
    promised: dict[str, Json] = {}
    taken: set[str] = set()
    for block, answer in zip(blocks, answers, strict=True):
        if answer.status == 201:
            tally.expect(sorted(taken & set(block)), [], "seats promised twice")
            taken |= set(block)
            promised[answer.json["id"]] = {"seats": block, "booking": answer.json}
    for block, answer in zip(blocks, answers, strict=True):
        if answer.said == GONE:
            told = [*answer.json["unavailable"], *answer.json["still_available"]]
            tally.expect(sorted(told), sorted(block), "the seats a refusal speaks of")
            if not taken & set(block):
                tally.fault("somebody was refused a block that nobody took")
    return promised


RACE = Race(
    name="c2",
    sentence="100 clients want blocks of 1 to 8 neighbours of one row of 100 seats, named in any order",
    expected="no booking has a part of its block, no seat is promised twice, no block that was refused is free in the end",
    rounds=200,
    run=run,
)
