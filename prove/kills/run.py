"""A run: one house under trade, batches of cells and edges in a seeded order until time is over, all judged in the end."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prove.kills import proxies
from prove.kills.cells import Cell, Edge, batches
from prove.kills.edging import EdgeOutcome, visit_edge
from prove.kills.house import House, a_house, a_plan
from prove.kills.judging import judge
from prove.kills.proxies import Ways
from prove.kills.record import Record
from prove.kills.trade import Trader, trading
from prove.kills.visit import Outcome, Visit
from stand.running import Stand

BATCH = 10
EDGE_EVERY = 2
"""After so many batches an edge is visited."""
ATTEMPTS = 3
MOST_SAID = 600
TRADERS, RATE = 3, 2.0
"""Agencies that trade all the time, and their acts a second together."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked of a run: `minutes` from its making on, 0 asks for every cell, however long it takes;
    `enough` ends it when so many have passed.
    """

    seed: int
    engine: str
    minutes: float
    batch: int = BATCH
    with_edges: bool = True
    rate: float = RATE
    enough: int = 0
    began: float = field(default_factory=time.monotonic)


@dataclass
class Run:
    """A run under way."""

    wish: Wish
    house: House
    ways: Ways | None
    record: Record
    faults: list[str] = field(default_factory=list)

    def visit_all(self, wanted: list[Cell], wanted_edges: list[Edge]) -> None:
        """Batch after batch, an edge in between, until all are visited or time is over."""
        chance = random.Random(self.wish.seed)
        edges = chance.sample(wanted_edges, len(wanted_edges)) if self.ways else []
        for attempt in range(ATTEMPTS):
            missed: list[Cell] = []
            for number, batch in enumerate(
                batches(wanted, size=self.wish.batch, seed=self.wish.seed + attempt), start=1
            ):
                if self._is_late():
                    return
                missed += [
                    one.cell for one in self.visit(batch, api=number % 2, is_last=attempt == ATTEMPTS - 1) if one.missed
                ]
                if edges and number % EDGE_EVERY == 0:
                    self.visit_edge(edges.pop())
            wanted = missed
        while edges and not self._is_late():
            self.visit_edge(edges.pop())

    def _is_late(self) -> bool:
        if self.wish.enough and sum(one["passed"] for one in self.record.content["cells"].values()) >= self.wish.enough:
            return True
        return bool(self.wish.minutes) and time.monotonic() - self.wish.began > self.wish.minutes * 60

    def visit(self, batch: list[Cell], *, api: int = 0, is_last: bool = False) -> list[Outcome]:
        """A batch, judged and written down; a cell whose process came at a bad moment is visited again unless it is the last time."""
        self.house.stay_logged_in()
        visit = Visit(self.house, batch, api=api)
        outcomes = visit.run()
        if words := self._found():
            for one in outcomes:
                one.fault = one.fault or words
        told = [one for one in outcomes if is_last or not one.missed]
        for one in told:
            self._say(one)
        self.record.note(told, seed=self.wish.seed)
        self.record.note_recoveries(visit.victim, visit.recoveries or visit.wake.undisturbed)
        self.record.save()
        return outcomes

    def visit_edge(self, edge: Edge) -> None:
        """An edge, judged and written down."""
        assert self.ways is not None, "edges are visited where there are proxies"
        self.house.stay_logged_in()
        try:
            outcome = visit_edge(self.house, self.ways, edge)
        except Exception as error:  # noqa: BLE001 -- a house that does not heal is what is looked for
            outcome = EdgeOutcome(edge=edge, fault=repr(error))
        outcome.fault = outcome.fault or self._found() or None
        self._say(outcome)
        self.record.note_edge(outcome)
        self.record.save()

    def _say(self, outcome: Outcome | EdgeOutcome) -> None:
        print(outcome.line, flush=True)
        if not outcome.passed:
            self.faults.append(outcome.line)

    def _found(self) -> str:
        """What is wrong in the house now, in few words."""
        faults = judge(self.house).faults
        return f"in the house: {'; '.join(faults[:3])}"[:MOST_SAID] if faults else ""

    def end(self, traders: list[Trader]) -> None:
        """The last look, by the command that people use, when trade has stopped."""
        verdict = judge(self.house)
        verified = self.house.stand.run("verify", "--json")
        self.record.note_trade(
            runs=1,
            acts=sum(trader.acts for trader in traders),
            acknowledged=verdict.acknowledged,
            lost=sum(fault.startswith("lost") for fault in verdict.faults),
            violated=verified.returncode,
        )
        self.faults += verdict.faults
        if verified.returncode:
            self.faults.append(f"verify: {verified.stdout[-2000:]}")
        self.record.save()


@contextmanager
def a_run(wish: Wish, record: Record) -> Iterator[Run]:
    """A run's house, with trade going on, for as long as the block lasts."""
    home = Path(tempfile.mkdtemp(prefix="allotment-kills-"))
    with ExitStack() as stack:
        server = proxies.program() if wish.with_edges else None
        stand = Stand(home, a_plan(engine=wish.engine))
        ways = stack.enter_context(proxies.laid(stand.home, server)) if server else None
        if ways:
            stand = Stand(home, a_plan(engine=wish.engine, detours=ways.detours(stand.plan)))
        stack.callback(stand.end)
        house = stack.enter_context(a_house(stand, desks=wish.batch + 1, log=home / "acknowledged.jsonl"))
        run = Run(wish, house, ways, record)
        with trading(house.open_desks(TRADERS if wish.rate else 0), rate=wish.rate, seed=wish.seed) as traders:
            yield run
        run.end(traders)
