"""Negative controls: with a guard taken away, the same race must turn red."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg

from prove.races import blocks, deadline, ground, one_seat, same_key
from prove.races.programme import CLIENTS
from prove.races.race import Race, ran
from prove.races.tally import Line
from prove.races.unguarded import VARIABLE
from stand.plan import Plan
from stand.running import Stand, a_stand

MODULE = "prove.races.unguarded"
INDEX = "uq_tickets_live_seat"
DOORS = 2
PATIENCE = 3
"""How often a race without its guard is run again before it counts as not noticed: on a fast house few callers meet."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A guard that is missing, the race that must notice, and by what.

    `missing` is the guard's name in `unguarded.GUARDS`; `without_index` drops the live-ticket index besides; `sign` is what the
    telling fault speaks of.
    """

    guard: str
    missing: str
    race: Race
    rounds: int
    seen: Callable[[Line], bool]
    how: str
    sign: str = ""
    without_index: bool = False


AT_THE_DOOR = (
    Control(
        guard="seats locked in one order",
        missing="order",
        race=blocks.RACE,
        rounds=20,
        seen=lambda line: line["deadlocks"] > 0,
        how="{deadlocks} deadlocks in {rounds} rows; {server_errors} of them reached a client",
    ),
    Control(
        guard="the idempotency row",
        missing="key",
        race=same_key.RACE,
        rounds=5,
        seen=lambda line: any("effects of one key" in fault for fault in line["faults"]),
        sign="effects of one key",
        how="{violations} things wrong in {rounds} rounds, among them {first}",
    ),
    Control(
        guard="the condition on the seat and its lock",
        missing="lock",
        race=one_seat.RACE,
        rounds=20,
        seen=lambda line: line["ties"] > 0,
        how="{ties} double tickets, each stopped by the unique index alone: {winners} winners in {rounds} rounds",
    ),
    Control(
        guard="the unique index on live tickets, the condition and the lock gone before",
        missing="lock",
        race=one_seat.RACE,
        rounds=20,
        without_index=True,
        seen=lambda line: line["counted"]["winners"] > line["rounds"],
        how="{winners} winners in {rounds} rounds",
    ),
)
AT_THE_TILL = (
    Control(
        guard="the look at the seats in the confirmation, the unique index gone before",
        missing="confirm",
        race=deadline.RACE,
        rounds=250,
        without_index=True,
        seen=lambda line: any("and so is its seat to the next" in fault or "S1" in fault for fault in line["faults"]),
        how="{violations} things wrong in {rounds} races, the first: {first}",
    ),
)


def run_all(*, engine: str, seed: int, share: float) -> Iterator[Line]:
    """Every control's line; what lacks at the doors on one house, what lacks at the till on another."""
    missing = list(dict.fromkeys(control.missing for control in AT_THE_DOOR))
    with a_stand(doors_without(missing, engine=engine)) as stand:
        for control in AT_THE_DOOR:
            first = DOORS * (1 + missing.index(control.missing))
            yield at_doors(stand, control, slice(first, first + DOORS), seed=seed, share=share)
    till = ground.plan(engine=engine, commands={"worker-1": MODULE}, told={"worker-1": {VARIABLE: "confirm"}})
    with a_stand(till) as stand:
        for control in AT_THE_TILL:
            yield at_doors(stand, control, slice(DOORS), seed=seed, share=share)


def doors_without(missing: Sequence[str], *, engine: str, each: int = DOORS) -> Plan:
    """A house with two doors as they should be, and then so many for each guard that is missing."""
    guards = [guard for guard in missing for _ in range(each)]
    names = [(f"api-{DOORS + place}", guard) for place, guard in enumerate(guards, start=1)]
    return ground.plan(
        engine=engine,
        apis=DOORS + len(names),
        commands={name: MODULE for name, _ in names},
        told={name: {VARIABLE: guard} for name, guard in names},
    )


def at_doors(stand: Stand, control: Control, doors: slice, *, seed: int, share: float) -> Line:
    """The control's line, its race run before those doors."""
    if control.without_index:
        with psycopg.connect(stand.addresses.database_url, autocommit=True) as owner:
            owner.execute(f"DROP INDEX IF EXISTS {INDEX}")
    rounds = max(round(control.rounds * share), control.rounds // 4)

    def once(turn: int) -> Line:
        with ground.on(stand, clients=CLIENTS, seed=seed + turn, doors=doors) as before:
            return judged(control, ran(control.race, before, rounds))

    turns = (once(turn) for turn in range(PATIENCE))
    return next((line for line in turns if line["caught"]), None) or once(PATIENCE)


def judged(control: Control, line: Line) -> Line:
    """Whether the race's figures without the guard give it away, and by what."""
    caught = not line["holds"] and control.seen(line)
    telling = [fault for fault in line["faults"] if control.sign in fault] or ["nothing"]
    words = {**line, **line["counted"], "first": telling[0]}
    return {"guard": control.guard, "race": control.race.name, "caught": caught, "how": control.how.format(**words)}
