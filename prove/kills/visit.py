"""A visit: a batch of cells of one victim; their processes come to their points, the victim dies, all is healed and judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from prove.kills import recovery, victims
from prove.kills.cells import Cell
from prove.kills.desk import ENDS_WITHIN, Desk
from prove.kills.house import House
from prove.kills.scenes import SCENES, Act, Ending
from prove.kills.signals import Held

# A process inside a workflow task may be held for less than the two seconds after which the SDK calls it stuck.
HELD_IN_TASK, HELD_IN_STEP = 1.2, 2.5
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
    def line(self) -> str:
        """For the console."""
        if self.passed:
            return f"ok    {self.cell.name}  {self.process_id}  {self.seconds or 0:.1f} s"
        return f"FAIL  {self.cell.name}  {self.fault or 'nobody came there'}"


@dataclass
class Visit:
    """One batch at one house; every cell has a desk of its own, and one more desk asks how the house does."""

    house: House
    batch: Sequence[Cell]
    api: int = 0
    recoveries: list[float] = field(default_factory=list)
    _struck: dict[str, float] = field(default_factory=dict)
    _healed_at: float = 0.0

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
        with ThreadPoolExecutor(len(self.batch)) as pool:
            acts = self._prepared(pool, outcomes)
            self.house.box.arm(acts)
            longest = max((SCENES[str(outcomes[place].cell.step)].lead for place in acts), default=0.0)
            begun = {
                place: pool.submit(_after, longest - SCENES[str(outcomes[place].cell.step)].lead, act)
                for place, act in acts.items()
            }
            self._strike_all(outcomes, seconds=longest + COMES_WITHIN)
            endings = {place: pool.submit(_ended, future) for place, future in begun.items()}
            self._watch_struck(outcomes)
            for place, future in endings.items():
                outcomes[place].fault = outcomes[place].fault or future.result()
        return list(outcomes.values())

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
        in_task = any(cell.point == "next" for cell in self.batch)
        while box.waiting and (left := deadline - time.monotonic()) > 0:
            held = box.gather(seconds=left, patience=HELD_IN_TASK if in_task else HELD_IN_STEP)
            if held:
                self._strike(held, outcomes)
        box.disarm()

    def _strike(self, held: list[Held], outcomes: dict[str, Outcome]) -> None:
        died_at = self._kill(held)
        for one in held:
            one.let_go()
            outcomes[one.arrival.place].process_id = one.arrival.process_id
            self._struck[one.arrival.place] = died_at
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
                recovery.first_booking(self.prober)
            case "temporal":
                recovery.first_process(self.prober)
            case "provider":
                recovery.provider_answers(self.house)
            case "node":
                self.house.stand.up()

    def _watch_struck(self, outcomes: dict[str, Outcome]) -> None:
        """How long each struck process took to come to rest; more than a minute after healing is a fault."""
        waiting = dict(self._struck)
        while waiting and time.monotonic() - self._healed_at < ENDS_WITHIN:
            for place, died_at in list(waiting.items()):
                if self.house.engine.is_at_rest(str(outcomes[place].process_id)):
                    outcomes[place].seconds = time.monotonic() - died_at
                    del waiting[place]
            time.sleep(LOOK_EVERY)
        for place in waiting:
            outcomes[place].fault = f"{outcomes[place].process_id} is not at rest {ENDS_WITHIN:.0f} s after healing"


def _place(cell: Cell) -> str:
    return f"{cell.step}/{cell.point}"


def _after(seconds: float, act: Act) -> Ending:
    threading.Event().wait(seconds)
    return act()


def _ended(begun: Future[Ending]) -> str | None:
    """None, or what went wrong."""
    try:
        begun.result()()
    except Exception as error:  # noqa: BLE001 -- whatever it was, the scene did not end as it must
        return f"{type(error).__name__}: {error}"
    return None
