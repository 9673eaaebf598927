"""A visit: a batch of cells of one victim; their processes come to their points, the victim dies, all is healed and judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from prove.kills import recovery, victims
from prove.kills.cells import Cell
from prove.kills.desk import ENDS_WITHIN, Desk, Missed
from prove.kills.engine import EngineRoom
from prove.kills.house import House, NotHealed
from prove.kills.scenes import SCENES, Act, Ending, told
from prove.kills.signals import Held
from prove.kills.victims import StillAlive
from stand.running import StandFailed

# A process inside a workflow task may be held for less than the two seconds after which the SDK calls it stuck.
HELD_IN_TASK, HELD_IN_STEP = 1.2, 3.5
NO_LONGER_THERE = 4.5
COMES_WITHIN = 60.0
"""Seconds after the last lead within which every process must have come to its point."""
LOOK_EVERY = 0.25


@dataclass(kw_only=True)
class Outcome:
    """What became of a cell. `seconds`: from the death to the struck process at rest, None when nobody was struck."""

    cell: Cell
    fault: str | None = None
    process_id: str | None = None
    seconds: float | None = None

    @property
    def passed(self) -> bool:
        """Whether somebody was struck there and everything came out as it must."""
        return self.fault is None and self.process_id is not None

    @property
    def missed(self) -> bool:
        """Whether nobody was struck there, though nothing went wrong."""
        return self.fault is None and self.process_id is None

    @property
    def line(self) -> str:
        """For the console."""
        if self.passed:
            return f"ok    {self.cell.name}  {self.process_id}  {self.seconds or 0:.1f} s"
        return f"FAIL  {self.cell.name}  {self.fault or 'nobody came there'}"


@dataclass
class Wake:
    """Looks at every struck process from its death on, in a thread of its own, until it is at rest."""

    engine: EngineRoom
    undisturbed: list[float] = field(default_factory=list)
    """How long those took during whose recovery nobody else died."""
    rested: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, tuple[str, float]] = field(default_factory=dict)
    _last_death: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def add(self, place: str, process_id: str, died_at: float) -> None:
        """One more."""
        self._waiting[place] = (process_id, died_at)
        self._last_death = died_at

    def look(self) -> None:
        """Until all are at rest and nobody else will die, or it is told that time is over."""
        while not self._over.wait(LOOK_EVERY):
            for place, (process_id, died_at) in list(self._waiting.items()):
                if self.engine.is_at_rest(process_id):
                    self.rested[place] = time.monotonic() - died_at
                    if died_at == self._last_death:
                        self.undisturbed.append(self.rested[place])
                    del self._waiting[place]

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def end(self, *, by: float) -> list[str]:
        """Wait until all are at rest, until this moment at most; the places of those that are not."""
        while self._waiting and time.monotonic() < by:
            time.sleep(LOOK_EVERY)
        self.stop()
        # A paper behind other papers waits rightly; whether that lane moves is asked by the oracle (L1).
        return [
            place
            for place, (process_id, _) in self._waiting.items()
            if not (process_id.startswith(("document/", "papers/")) and self.engine.waits_its_turn(process_id))
        ]


@dataclass
class Visit:
    """One batch at one house; every cell has a desk of its own, and one more desk asks how the house does."""

    house: House
    batch: Sequence[Cell]
    api: int = 0
    recoveries: list[float] = field(default_factory=list)
    wake: Wake = field(init=False)
    _healed_at: float = 0.0

    def __post_init__(self) -> None:
        self.wake = Wake(self.house.engine)

    @property
    def victim(self) -> str:
        """Who dies."""
        return self.batch[0].victim

    @property
    def prober(self) -> Desk:
        """The desk that no cell uses."""
        return self.house.desks[-1]

    def run(self) -> list[Outcome]:
        """Strike every cell of the batch and see what becomes of it."""
        outcomes = {_place(cell): Outcome(cell=cell) for cell in self.batch}
        with ThreadPoolExecutor(len(self.batch) + 1) as pool:
            acts = self._prepared(pool, outcomes)
            self.house.box.arm(acts)
            longest = max((_lead(outcomes[place].cell) for place in acts), default=0.0)
            begun = {
                place: pool.submit(_after, longest - _lead(outcomes[place].cell), act) for place, act in acts.items()
            }
            pool.submit(self.wake.look)
            try:
                self._strike_all(outcomes, seconds=longest + COMES_WITHIN)
                self._see_all_end(outcomes, {place: pool.submit(told, future) for place, future in begun.items()})
            except (NotHealed, StandFailed, StillAlive) as error:
                for one in outcomes.values():
                    one.fault = one.fault or repr(error)
            finally:
                self.house.box.disarm()
                self.wake.stop()
        return list(outcomes.values())

    def _see_all_end(self, outcomes: dict[str, Outcome], endings: dict[str, Future[str | None]]) -> None:
        """Every struck process comes to rest within a minute of the healing, and every scene ends as it must."""
        restless = self.wake.end(by=self._healed_at + ENDS_WITHIN)
        for place, outcome in outcomes.items():
            outcome.seconds = self.wake.rested.get(place)
            if place in restless:
                outcome.fault = f"{outcome.process_id} is not at rest {ENDS_WITHIN:.0f} s after healing"
            elif place in endings:
                self._note_ending(outcome, endings[place])

    def _note_ending(self, outcome: Outcome, ending: Future[str | None]) -> None:
        try:
            outcome.fault = outcome.fault or ending.result()
        except Missed:
            outcome.process_id = None

    def _prepared(self, pool: ThreadPoolExecutor, outcomes: dict[str, Outcome]) -> dict[str, Act]:
        """What is to be begun at each place."""
        futures: dict[str, Future[Act]] = {}
        for (place, outcome), desk in zip(outcomes.items(), self.house.desks, strict=False):
            desk.speak_to(self.api)
            futures[place] = pool.submit(SCENES[str(outcome.cell.step)].prepare, desk)
        acts: dict[str, Act] = {}
        for place, future in futures.items():
            try:
                acts[place] = future.result()
            except Exception as error:  # noqa: BLE001 -- whatever it was, the cell could not be visited
                outcomes[place].fault = f"could not be prepared: {error!r}"
        return acts

    def _strike_all(self, outcomes: dict[str, Outcome], *, seconds: float) -> None:
        """Kill as often as processes come, until there is one at every place, or time is over."""
        deadline = time.monotonic() + seconds
        box = self.house.box
        while (box.waiting or box.holding) and (left := deadline - time.monotonic()) > 0:
            held = box.gather(seconds=left, patience=_patience)
            if timely := [one for one in held if not _let_go_if_stale(one)]:
                self._strike(timely, outcomes)
        box.disarm()

    def _strike(self, held: list[Held], outcomes: dict[str, Outcome]) -> None:
        died_at = self._kill(held)
        for one in held:
            one.let_go()
            outcomes[one.arrival.place].process_id = one.arrival.process_id
            self.wake.add(one.arrival.place, one.arrival.process_id, died_at)
        self._heal()
        if self.victim != "worker":
            self.recoveries.append(time.monotonic() - died_at)
        self.house.heal()
        self._healed_at = time.monotonic()

    def _kill(self, held: list[Held]) -> float:
        """When the victim was dead."""
        stand = self.house.stand
        if self.victim == "node":
            victims.kill_node(stand)
        else:
            named = {"worker": sorted({one.arrival.part for one in held}), "api": [stand.plan.api_names[self.api]]}
            victims.kill(stand, named.get(self.victim, [self.victim]))
        return time.monotonic()

    def _heal(self) -> None:
        """Until the victim does its work again, by itself; a node is switched on."""
        match self.victim:
            case "api":
                recovery.first_good_answer(self.prober, self.api)
            case "postgres":
                recovery.first_booking(self.prober, self.house.box.spare)
            case "temporal":
                recovery.first_process(self.prober, self.house.box.spare)
            case "provider":
                recovery.provider_answers(self.house)
            case "node":
                self.house.stand.up()


def _place(cell: Cell) -> str:
    return f"{cell.step}/{cell.point}"


def _patience(held: Held) -> float:
    return HELD_IN_TASK if held.arrival.place.endswith("/next") else HELD_IN_STEP


def _lead(cell: Cell) -> float:
    """Whoever may be held for a moment only is to come last."""
    return SCENES[str(cell.step)].lead - (HELD_IN_TASK if cell.point == "next" else 0.0)


def _let_go_if_stale(held: Held) -> bool:
    """Who came while the last death was healed, and waited longer than a step may take, is no longer at its point."""
    stale = time.monotonic() - held.at > NO_LONGER_THERE
    if stale:
        held.let_go()
    return stale


def _after(seconds: float, act: Act) -> Ending:
    threading.Event().wait(seconds)
    return act()
