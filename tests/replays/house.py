"""The endings of the processes that keep the house: papers and upkeep."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from activities.upkeep import Round, Swept
from db.ids import new_id
from tests.replays.stage import Ending, Stage
from workflows.options import CORE


async def printed(stage: Stage, *, urgent: bool) -> str:
    """A document, made at once or when there is time."""
    process_id = f"document/{new_id()}"
    argument = {"tenant_id": str(new_id()), "document_id": str(new_id()), "urgent": urgent}
    await stage.engine.start("Document", process_id=process_id, argument=argument)
    return process_id


async def printed_together(stage: Stage, *, papers: int) -> str:
    """Documents that nobody waits for."""
    process_id = f"papers/{new_id()}"
    argument = {"tenant_id": str(new_id()), "document_ids": [str(new_id()) for _ in range(papers)]}
    await stage.engine.start("Papers", process_id=process_id, argument=argument)
    return process_id


async def swept(stage: Stage, *, nightly: bool, found: list[Swept]) -> str:
    """A round of upkeep."""
    stage.house.swept = found
    process_id = f"upkeep/{new_id()}"
    await stage.client.start_workflow("Upkeep", Round(nightly=nightly), id=process_id, task_queue=CORE)
    return process_id


QUIET = Swept(events_closed=0, seats_written_off=0)
MORE = Swept(events_closed=100, seats_written_off=7, more=True)
SOON = Swept(events_closed=0, seats_written_off=0, next_end_in=timedelta(seconds=1))

ENDINGS: dict[str, Ending] = {
    "Document/rendered": partial(printed, urgent=False),
    "Document/rendered_at_once": partial(printed, urgent=True),
    "Papers/one_stretch": partial(printed_together, papers=1),
    "Papers/two_stretches": partial(printed_together, papers=2),
    "Upkeep/quiet": partial(swept, nightly=False, found=[QUIET]),
    "Upkeep/nightly": partial(swept, nightly=True, found=[QUIET]),
    "Upkeep/more_than_one_step": partial(swept, nightly=False, found=[MORE, QUIET]),
    "Upkeep/an_end_waited_for": partial(swept, nightly=False, found=[SOON, QUIET]),
}
