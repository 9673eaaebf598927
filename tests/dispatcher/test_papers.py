"""The courier's papers: what nobody waits for is printed by one process for all, and none of it is forgotten."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from temporalio.client import Client

import dispatcher
from activities.documents import request_document, request_lost
from db import documents, outbox
from db.documents import Unmade
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


async def test_a_paper_whose_process_the_engine_has_lost_is_asked_for_again(
    quiet: Database, shop: Shop, settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LOST_AFTER", timedelta(0))
    document_id = a_document(shop)
    with Courier(quiet, settings, lane=PAPERS) as courier:
        await courier.deliver_due()
        process_id = made_by(shop, document_id)
        await until_listed(client, process_id, running=True)
        await courier.bring_back_lost()
        assert process_id is not None
        assert made_by(shop, document_id) == process_id

        await client.get_workflow_handle(process_id).terminate()
        await until_listed(client, process_id, running=False)
        await courier.bring_back_lost()
        assert (made_by(shop, document_id), waiting_papers(shop)) == (None, [document_id])

        await courier.deliver_due()
        assert made_by(shop, document_id) not in (None, process_id)


async def test_a_paper_made_in_time_is_not_asked_for_again(quiet: Database, shop: Shop) -> None:
    document_id = a_document(shop)
    lost = [Unmade(tenant_id=shop.tenant_id, document_id=document_id, process_id="papers/1")]
    with shop.tx() as tx:
        documents.hand_over(tx, [document_id], process_id="papers/1")
        documents.store(tx, document_id, storage_key="there", size=1)

        assert request_lost(tx, lost) == 0


def a_document(shop: Shop) -> UUID:
    with shop.tx() as tx:
        return request_document(
            tx,
            kind="receipt",
            key=str(new_id()),
            subject_id=new_id(),
            filename="r.pdf",
            media_type="application/pdf",
            parameters={},
        )


def made_by(shop: Shop, document_id: UUID) -> str | None:
    with shop.tx() as tx:
        found: str | None = tx.value("SELECT process_id FROM documents WHERE id = %s", (document_id,))
        return found


def waiting_papers(shop: Shop) -> list[UUID]:
    with shop.tx() as tx:
        return [
            UUID(one)
            for one in tx.values(
                "SELECT payload ->> 'document_id' FROM outbox WHERE kind = 'PAPER' AND delivered_at IS NULL"
            )
        ]


async def until_listed(client: Client, process_id: str | None, *, running: bool) -> None:
    """The engine's list lags a little."""
    for _ in range(100):
        listed = {one.id async for one in client.list_workflows("ExecutionStatus = 'Running'")}
        if (process_id in listed) == running:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the engine's list does not change")
