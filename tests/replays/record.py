"""Records what a replay must still be able to follow: `python -m tests.replays.record`, one history per process and ending.

A history that is there already is never written again: it stands for processes that were begun under older code.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.client import Client

from tests.makers.engine import a_server, temporal_program
from tests.replays import buying, house, selling
from tests.replays.stage import Ending, open_stage

HISTORIES = Path(__file__).parent / "histories"

ENDINGS: dict[str, Ending] = {**buying.ENDINGS, **selling.ENDINGS, **house.ENDINGS}


async def record() -> None:
    """Record what is missing."""
    async with a_server(temporal_program()) as client:
        for name, ending in ENDINGS.items():
            target = HISTORIES / f"{name}.json"
            if not target.exists():
                await record_one(client, ending, target)


async def record_one(client: Client, ending: Ending, target: Path) -> None:
    """Play one ending and keep its history."""
    async with open_stage(client) as stage:
        handle = client.get_workflow_handle(await ending(stage))
        await handle.result()
    keep(target, (await handle.fetch_history()).to_json())


def keep(target: Path, history: str) -> None:
    """Write it down."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(history + "\n")


if __name__ == "__main__":
    asyncio.run(record())
