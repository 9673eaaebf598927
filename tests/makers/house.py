"""The whole back office in one process: API, dispatcher and workers as they are run, on a database of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

from starlette.testclient import TestClient
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

import dispatcher
import worker
from activities.registry import Tools
from api.app import build
from db.transaction import Database
from gateways import temporal
from gateways.payments import SimulatedPayments
from settings import Settings
from tests.gateways.parts import Part, a_provider, a_sink
from tests.ground import Clone

T = TypeVar("T")

HASTE = 1.0
"""Seconds after which the provider counts as silent; the product waits five."""


@dataclass
class House:
    """What runs and where it keeps its things; the engine may be taken away and given back."""

    folder: Path
    clone: Clone
    provider: Part
    sink: Part
    database: Database
    http: TestClient
    payments: SimulatedPayments
    _parts: list[Running] = field(default_factory=list)

    def settings(self, address: str, namespace: str) -> Settings:
        """What every part is told."""
        return Settings(
            home=self.folder,
            app_database_url=self.clone.app_url,
            temporal_address=address,
            temporal_namespace=namespace,
            provider_url=self.provider.url,
            smtp_url=self.sink.url,
            build_id="house",
        )

    def letters(self, *, to: str) -> list[EmailMessage]:
        """What the mail server has taken for somebody, oldest first."""
        files = sorted((self.folder / "mail").glob("*.eml"))
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [letter for letter in found if letter["To"] == to]

    def begin(self, address: str, namespace: str, *, queues: tuple[str, ...] = ("core",)) -> None:
        """Start dispatcher and workers against this engine."""
        settings = self.settings(address, namespace)
        self._parts.append(Running(lambda stop: self._deliver(settings, stop)))
        self.work(address, namespace, queues=queues)

    def deliver(self, address: str, namespace: str) -> None:
        """Start the dispatcher alone."""
        settings = self.settings(address, namespace)
        self._parts.append(Running(lambda stop: self._deliver(settings, stop)))

    def work(self, address: str, namespace: str, *, queues: tuple[str, ...] = ("core",)) -> None:
        """Start the workers alone."""
        settings = self.settings(address, namespace)
        self._parts.append(Running(lambda stop: self._work(settings, queues, stop)))

    def give_work(self, address: str, namespace: str) -> None:
        """Make the release current for workers that run elsewhere."""

        async def give() -> None:
            client = await temporal.connect(address, namespace=namespace)
            await give_work_to(client, self.settings(address, namespace).build_id)

        asyncio.run(give())

    def end(self) -> None:
        """Stop what runs; the database and the things outside stay."""
        while self._parts:
            self._parts.pop().end()

    async def _deliver(self, settings: Settings, stop: asyncio.Event) -> None:
        with Database(self.clone.app_url, size=16, name="dispatcher") as database:
            await dispatcher.serve(settings, database, stop=stop)

    async def _work(self, settings: Settings, queues: tuple[str, ...], stop: asyncio.Event) -> None:
        client = await temporal.connect(str(settings.temporal_address), namespace=settings.temporal_namespace)
        with Database(self.clone.app_url, size=24, name="worker") as database:
            tools = Tools(database=database, payments=self.payments, documents_dir=settings.documents_dir)
            async with AsyncExitStack() as running:
                for queue in queues:
                    made = worker.a_worker(client, settings, queue=queue, tools=tools)
                    await running.enter_async_context(made)
                await give_work_to(client, settings.build_id)
                await stop.wait()


class Running:
    """A part on an event loop and a thread of its own."""

    def __init__(self, act: Callable[[asyncio.Event], Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._act = act
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._act(self._stop))
        except BaseException as failure:  # noqa: BLE001 -- told to whoever ends it
            self._failure = failure
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def end(self) -> None:
        """Ask it to stop and wait; whatever broke it is raised here."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "a part does not stop"
        if self._failure is not None:
            raise self._failure


async def give_work_to(client: Client, build_id: str) -> None:
    """Make the release current, as the supervisor does; workers must have polled before."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=worker.DEPLOYMENT,
        build_id=build_id,
        identity="tests",
        ignore_missing_task_queues=True,
    )
    for _ in range(200):
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError("the release did not become current")


@contextmanager
def a_house(folder: Path, clone: Clone) -> Iterator[House]:
    """A house whose API answers; dispatcher and workers have not begun yet."""
    provider, sink = a_provider(folder), a_sink(folder)
    provider.start()
    sink.start()
    database = Database(clone.app_url, size=12, name="api")
    payments = SimulatedPayments(provider.url, timeout=HASTE)
    settings = Settings(home=folder, build_id="house", temporal_address="127.0.0.1:9")
    with TestClient(build(settings, database)) as http:
        house = House(folder, clone, provider, sink, database, http, payments)
        yield house
        house.end()
    payments.close()
    provider.end()
    sink.end()


def eventually(look: Callable[[], T], *, until: Callable[[T], bool] = bool, seconds: float = 30) -> T:
    """Look again and again until it is so; what was seen last. Fails when it does not come to be."""
    end = time.monotonic() + seconds
    found = look()
    while not until(found):
        assert time.monotonic() < end, f"after {seconds} s it was still {found!r}"
        time.sleep(0.05)
        found = look()
    return found
