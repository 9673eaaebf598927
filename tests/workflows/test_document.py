"""The processes of documents: one that somebody waits for, or many that nobody waits for, repeated until an outage is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from temporalio.client import Client

from activities.documents import Made
from db.ids import new_id
from gateways.temporal import Engine
from tests.makers.house_process import Printer, printing
from tests.workflows.conftest import Serve
from workflows.options import FIRST, LATER, NEXT


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


async def printed(engine: Engine, client: Client, papers: Sequence[UUID]) -> None:
    process_id = f"papers/{new_id()}"
    argument = {"tenant_id": str(new_id()), "document_ids": [str(paper) for paper in papers]}
    await engine.start("Papers", process_id=process_id, argument=argument)
    await client.get_workflow_handle(process_id).result()


async def waited_for(engine: Engine, client: Client) -> None:
    await ended(engine, client, urgent=True)


async def test_many_that_nobody_waits_for_are_made_in_their_order(serve: Serve, client: Client, engine: Engine) -> None:
    printer, papers = Printer(out_of_paper=1), [new_id() for _ in range(3)]

    async with serve([]), printing(client, printer):
        await printed(engine, client, papers)

    assert [step.document_id for step, _ in printer.asked] == [papers[0], *papers]


async def test_what_somebody_waits_for_comes_first(serve: Serve, client: Client, engine: Engine) -> None:
    printer = Printer()

    async with serve([]):
        begun = [asyncio.create_task(printed(engine, client, [new_id() for _ in range(6)]))]
        await asyncio.sleep(1)
        begun.append(asyncio.create_task(waited_for(engine, client)))
        await asyncio.sleep(1)
        async with printing(client, printer):
            await asyncio.gather(*begun)

    order = [step.urgent for step, _ in printer.asked]
    assert order.index(True) <= 1, "the one that was on its way to the printer may go before"
    assert {key for _, key in printer.asked} == {key.priority_key for key in (FIRST, NEXT, LATER)}


async def test_what_has_been_begun_goes_before_what_came_later(serve: Serve, client: Client, engine: Engine) -> None:
    """While a process is told of its stretch the printer begins another, so two go on by turns; a third waits for them."""
    printer, papers = Printer(seconds=0.4), [[new_id() for _ in range(3)] for _ in range(8)]

    async with serve([]):
        begun = []
        for some in papers:
            begun.append(asyncio.create_task(printed(engine, client, some)))
            await asyncio.sleep(0.3)
        async with printing(client, printer):
            await asyncio.gather(*begun)

    order = [step.document_id for step, _ in printer.asked]
    assert order.index(papers[0][-1]) < order.index(papers[-1][0])
