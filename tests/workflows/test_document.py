"""The process of a document: one rendering on the documents queue, repeated until the outage that stops it is over."""

from __future__ import annotations

import asyncio

from temporalio.client import Client

from activities.documents import Made
from db.ids import new_id
from gateways.temporal import Engine
from tests.makers.house_process import Printer, printing
from tests.workflows.conftest import Serve
from workflows.document import FIRST, LATER


async def ended(engine: Engine, client: Client, *, urgent: bool = False) -> Made:
    document_id = new_id()
    process_id = f"document/{document_id}"
    argument = {"tenant_id": str(new_id()), "document_id": str(document_id), "urgent": urgent}
    await engine.start("Document", process_id=process_id, argument=argument)
    made: Made = await client.get_workflow_handle(process_id, result_type=Made).result()
    return made


async def test_it_says_where_the_document_lies(serve: Serve, client: Client, engine: Engine) -> None:
    async with serve([]), printing(client, Printer()):
        assert await ended(engine, client) == Made(storage_key="key.pdf")


async def test_an_outage_is_waited_out(serve: Serve, client: Client, engine: Engine) -> None:
    printer = Printer(out_of_paper=2)

    async with serve([]), printing(client, printer):
        assert await ended(engine, client) == Made(storage_key="key.pdf")

    assert len(printer.asked) == 3


async def test_what_somebody_waits_for_comes_first(serve: Serve, client: Client, engine: Engine) -> None:
    printer = Printer()

    async with serve([]):
        waiting = [asyncio.create_task(ended(engine, client)) for _ in range(6)]
        await asyncio.sleep(1)
        waiting.append(asyncio.create_task(ended(engine, client, urgent=True)))
        await asyncio.sleep(1)
        async with printing(client, printer):
            await asyncio.gather(*waiting)

    order = [step.urgent for step, _ in printer.asked]
    assert order.index(True) <= 1, "the one that was on its way to the printer may go before"
    assert {key for _, key in printer.asked} == {FIRST.priority_key, LATER.priority_key}
