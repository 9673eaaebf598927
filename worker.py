"""A worker process: wired once, polling its queues until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

import logs
from activities import registry as steps
from activities.registry import Tools
from activities.stumbling import Stumbles
from db.transaction import Database
from domain.states import Refused
from gateways import temporal
from gateways.payments import provider_named
from settings import Settings, current
from workflows.registry import PROCESSES
from workflows.schedules import ensure_schedules

log = structlog.get_logger("worker")

DEPLOYMENT = "allotment"
# What a stop waits for running steps; the supervisor gives a worker ten seconds.
GRACE = timedelta(seconds=8)
# Steps of a queue at a time. A provider that says nothing keeps a step's thread for five seconds; the steps inside workflow
# tasks have threads of their own, so that nobody's sale waits behind somebody else's silence. They are many, because one of
# them takes money that was promised a moment ago: a provider that falls silent just then keeps one of these.
SLOTS = {"core": 24, "documents": 1, "bulk": 4}
LOCAL_SLOTS = {"core": 40, "documents": 1, "bulk": 1}
# Nobody waits for most papers: printing gives way to everything else on the machine. (Linux counts this by thread; the
# threads that print are begun after it was said.)
YIELDING = {"documents": 10}
AUTOGROUP = Path("/proc/self/autogroup")

# What a worker's steps may hold at once of the database.
CONNECTIONS = 24


def main(name: str, queues: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure(part=name)
    asyncio.run(_run(current(), name, queues))


def collect_seldom() -> None:
    """A delivery of fifty thousand seats makes half a million objects that all live until it is done.

    Looked through every 700 new ones, as Python does by itself, that took a third of the step's own time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def give_way(niceness: int) -> None:
    """Be so nice to every other process of the machine.

    Each part has a session of its own, and Linux shares a desktop's or a server's processor among sessions first
    (`sched_autogroup_enabled`): being nice counts inside the session only, unless the session is told too.
    """
    os.nice(niceness)
    if niceness:
        with suppress(OSError):
            AUTOGROUP.write_text(str(niceness))


async def _run(settings: Settings, name: str, queues: Sequence[str]) -> None:
    stop = told_to_stop()
    show_figures(settings)
    client = await connected(settings, stop)
    if client is None:
        return
    with Database(str(settings.app_database_url), size=CONNECTIONS, name=name) as database:
        tools = Tools(
            database=database,
            payments=provider_named("simulated", settings=settings),
            documents_dir=settings.documents_dir,
        )
        await serve(client, settings, queues=queues, tools=tools, stop=stop)


def told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def show_figures(settings: Settings) -> None:
    """Prometheus figures on the port of the settings; before the first client."""
    if settings.metrics_port:
        metrics = PrometheusConfig(bind_address=f"127.0.0.1:{settings.metrics_port}", durations_as_seconds=True)
        Runtime.set_default(Runtime(telemetry=TelemetryConfig(metrics=metrics)))


async def serve(
    client: Client, settings: Settings, *, queues: Sequence[str], tools: Tools, stop: asyncio.Event
) -> None:
    """Poll the queues until told to stop, as a good neighbour of what else runs on the machine."""
    collect_seldom()
    give_way(min(YIELDING.get(queue, 0) for queue in queues))
    async with AsyncExitStack() as running:
        for queue in queues:
            if getattr(steps, queue)(tools):
                await running.enter_async_context(a_worker(client, settings, queue=queue, tools=tools))
        log.info("polling", queues=list(queues))
        scheduling = asyncio.create_task(_schedule(client)) if "core" in queues else None
        await stop.wait()
        if scheduling:
            scheduling.cancel()


async def _schedule(client: Client) -> None:
    """Make the Schedules; an outage is waited out."""
    while True:
        try:
            return await ensure_schedules(client)
        except RPCError as error:
            log.warning("no schedules yet", error=str(error).split("\n")[0])
            await asyncio.sleep(1)


async def connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    """A client once Temporal answers; None when told to stop before it did."""
    while not stop.is_set():
        try:
            return await temporal.connect(str(settings.temporal_address), namespace=settings.temporal_namespace)
        except RuntimeError as error:
            log.warning("temporal does not answer yet", error=str(error).split("\n")[0])
            await asyncio.sleep(0.5)
    return None


def a_worker(client: Client, settings: Settings, *, queue: str, tools: Tools) -> Worker:
    """One queue's worker; only the core queue runs processes."""
    version = WorkerDeploymentVersion(DEPLOYMENT, settings.build_id)
    slots = SLOTS[queue]
    return Worker(
        client,
        task_queue=queue,
        workflows=PROCESSES if queue == "core" else (),
        activities=getattr(steps, queue)(tools),
        interceptors=[Stumbles(tools.database)],
        activity_executor=ThreadPoolExecutor(slots + LOCAL_SLOTS[queue], thread_name_prefix=queue),
        max_concurrent_activities=slots,
        max_concurrent_local_activities=LOCAL_SLOTS[queue],
        graceful_shutdown_timeout=GRACE,
        # A killed worker's cached processes are free for another after five seconds, not ten.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=5),
        # Every test and every replay runs the processes in the sandbox, which finds what a process must not do; running
        # them in it here as well would cost a third of what a paid booking costs this process.
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[Refused],
        deployment_config=WorkerDeploymentConfig(
            version=version,
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        ),
    )
