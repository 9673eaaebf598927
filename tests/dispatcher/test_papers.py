"""The courier's papers: what nobody waits for is printed by one process for all, and none of it is forgotten."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from uuid import UUID

from temporalio.client import Client

from db import outbox
from db.ids import new_id
from db.transaction import Database
from dispatcher import PAPERS, Courier
from settings import Settings
from tests.makers.selling import Shop


def ask_for_papers(shop: Shop, number: int) -> list[UUID]:
    """Any documents; their ids."""
    papers = [new_id() for _ in range(number)]
    with shop.tx() as tx:
        for paper in papers:
            outbox.paper(tx, paper, key=str(paper))
    return papers


def bring_again(shop: Shop, papers: list[UUID]) -> None:
    """As if the dispatcher had died after the engine had taken them."""
    with shop.tx() as tx:
        keys = [f"paper {paper}" for paper in papers]
        tx.run("UPDATE outbox SET delivered_at = NULL, next_at = now() WHERE key = ANY(%s)", (keys,))


async def handed_over(client: Client, shop: Shop, *, processes: int) -> list[list[UUID]]:
    """What the processes of this agency's papers were told to print, the oldest first; waits until the engine lists so many."""
    told: list[tuple[datetime, list[UUID]]] = []
    for _ in range(100):
        told = [
            (process.start_time, await _argument(client, process.id, shop))
            async for process in client.list_workflows("WorkflowType = 'Papers'")
        ]
        told = [(at, papers) for at, papers in told if papers]
        if len(told) >= processes:
            break
        await asyncio.sleep(0.1)
    return [papers for _, papers in sorted(told)]


async def _argument(client: Client, process_id: str, shop: Shop) -> list[UUID]:
    history = await client.get_workflow_handle(process_id).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    argument = json.loads(started.data)
    mine = argument["tenant_id"] == str(shop.tenant_id)
    return [UUID(paper) for paper in argument["document_ids"]] if mine else []


async def test_papers_that_nobody_waits_for_are_one_process(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    asked = ask_for_papers(shop, 3)

    with Courier(quiet, settings, lane=PAPERS) as courier:
        taken = await courier.deliver_due()

    (told,) = await handed_over(client, shop, processes=1)
    assert told[-3:] == asked
    assert len(told) == taken  # The receipts of the shop's stock went along.
    with shop.tx() as tx:
        assert tx.value("SELECT count(*) FROM outbox WHERE kind = 'PAPER' AND delivered_at IS NULL") == 0


async def test_a_paper_that_came_while_others_were_brought_again_is_not_forgotten(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    with Courier(quiet, settings, lane=PAPERS) as courier:
        await courier.deliver_due()
        first = ask_for_papers(shop, 2)
        await courier.deliver_due()
        bring_again(shop, first)
        await courier.deliver_due()
        bring_again(shop, first)
        late = ask_for_papers(shop, 1)
        await courier.deliver_due()

    *_, once, with_another = await handed_over(client, shop, processes=3)
    assert (once, with_another) == (first, [*first, *late])
