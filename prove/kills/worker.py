"""The product's own worker, wired to pass word of where its processes are: run by a stand in the place of `cli`."""

from __future__ import annotations

import argparse
import asyncio

from temporalio.client import Client

import logs
import worker
from activities.registry import Tools
from gateways.payments import provider_named
from prove.kills.signals import Signals
from prove.kills.striking import Striking, StrikingDatabase, StrikingPayments
from settings import Settings, current


def main() -> None:
    """Until SIGTERM or SIGINT; takes the words of `cli worker`."""
    words = argparse.ArgumentParser()
    words.add_argument("part", choices=["worker"])
    words.add_argument("--name", required=True)
    words.add_argument("--queue", action="append", required=True)
    said = words.parse_args()
    logs.configure(part=said.name)
    asyncio.run(_run(current(), said.name, said.queue))


async def _run(settings: Settings, name: str, queues: list[str]) -> None:
    stop = worker.told_to_stop()
    worker.show_figures(settings)
    plain = await worker.connected(settings, stop)
    if plain is None:
        return
    signals = Signals(settings.run_dir, part=name)
    client = Client(
        plain.service_client,
        namespace=plain.namespace,
        data_converter=plain.data_converter,
        interceptors=[Striking(signals)],
    )
    url = str(settings.app_database_url)
    with StrikingDatabase(url, size=worker.CONNECTIONS, name=name, watcher=signals) as database:
        tools = Tools(
            database=database,
            payments=StrikingPayments(provider_named("simulated", settings=settings), signals),
            documents_dir=settings.documents_dir,
        )
        await worker.serve(client, settings, queues=queues, tools=tools, stop=stop)


if __name__ == "__main__":
    main()
