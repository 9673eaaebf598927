"""The steps of the processes that keep the house, played: a printer, and somebody who closes what is over."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.documents import DocumentStep, Made, PapersStep
from activities.upkeep import Swept

NOTHING = Swept(events_closed=0, seats_written_off=0)


@dataclass
class Printer:
    """Prints nothing in so many seconds, remembers what it was asked for, and is out of paper so many times."""

    out_of_paper: int = 0
    seconds: float = 0.0
    asked: list[tuple[DocumentStep, int | None]] = field(default_factory=list)

    @activity.defn(name="documents.render")
    def render(self, at: DocumentStep) -> Made:
        """As the documents worker would."""
        self._print(at)
        return Made(storage_key="key.pdf")

    @activity.defn(name="documents.render_each")
    def render_each(self, at: PapersStep) -> PapersStep:
        """One at a stretch."""
        self._print(DocumentStep(tenant_id=at.tenant_id, document_id=at.document_ids[0]))
        return replace(at, document_ids=at.document_ids[1:])

    def _print(self, at: DocumentStep) -> None:
        self.asked.append((at, activity.info().priority.priority_key))
        if len(self.asked) <= self.out_of_paper:
            raise OSError(28, "No space left on device")
        time.sleep(self.seconds)


@dataclass
class Rounds:
    """The steps of a round as they were called; closing says these things one after the other."""

    closings: list[Swept] = field(default_factory=lambda: [NOTHING])
    calls: list[str] = field(default_factory=list)

    @activity.defn(name="upkeep.close_ended_events")
    def close_ended_events(self) -> Swept:
        """What was left to be said."""
        self.calls.append("close")
        return self.closings.pop(0)

    @activity.defn(name="upkeep.close_again")
    def close_again(self) -> Swept:
        """At night."""
        self.calls.append("close again")
        return NOTHING

    @activity.defn(name="upkeep.forget")
    def forget(self) -> int:
        """Every time."""
        self.calls.append("forget")
        return 0


@asynccontextmanager
async def printing(client: Client, printer: Printer) -> AsyncIterator[None]:
    """The documents queue, served by this printer."""
    with ThreadPoolExecutor(1) as threads:
        async with Worker(
            client,
            task_queue="documents",
            activities=[printer.render, printer.render_each],
            activity_executor=threads,
            max_concurrent_activities=1,
        ):
            yield
