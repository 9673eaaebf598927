"""Where histories are recorded: an engine, and steps of the whole house that answer what an ending needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.documents import DocumentStep, Made, PapersStep
from activities.upkeep import Swept
from gateways.temporal import Engine
from tests.makers import booking_process, order_process
from tests.makers.engine import serving
from workflows.options import DOCUMENTS


@dataclass
class House:
    """The steps behind documents and upkeep; each round of `swept` is told once, the last again and again."""

    swept: list[Swept] = field(default_factory=lambda: [Swept(events_closed=0, seats_written_off=0)])

    @activity.defn(name="documents.render")
    async def render(self, at: DocumentStep) -> Made:
        return Made(storage_key="ab/abcdef.pdf")

    @activity.defn(name="documents.render_each")
    async def render_each(self, at: PapersStep) -> PapersStep:
        return replace(at, document_ids=at.document_ids[1:])

    @activity.defn(name="upkeep.close_ended_events")
    async def close_ended_events(self) -> Swept:
        return self.swept.pop(0) if len(self.swept) > 1 else self.swept[0]

    @activity.defn(name="upkeep.close_again")
    async def close_again(self) -> Swept:
        return Swept(events_closed=0, seats_written_off=0)

    @activity.defn(name="upkeep.forget")
    async def forget(self) -> int:
        return 0


@dataclass(frozen=True)
class Stage:
    """What an ending is played on; each ending has one of its own."""

    client: Client
    buying: order_process.Rehearsal = field(default_factory=order_process.Rehearsal)
    selling: booking_process.Rehearsal = field(default_factory=booking_process.Rehearsal)
    house: House = field(default_factory=House)

    @property
    def engine(self) -> Engine:
        return Engine(self.client)

    @property
    def steps(self) -> list[Callable[..., Any]]:
        house = [self.house.close_ended_events, self.house.close_again, self.house.forget]
        return [*self.buying.steps, *self.selling.steps, *house]


Ending = Callable[[Stage], Awaitable[str]]
"""Runs a process to its end; returns its id."""


@asynccontextmanager
async def open_stage(client: Client) -> AsyncIterator[Stage]:
    """A stage whose workers serve every queue a process uses."""
    stage = Stage(client)
    printer = Worker(client, task_queue=DOCUMENTS, activities=[stage.house.render, stage.house.render_each])
    async with serving(client, stage.steps), printer:
        yield stage
