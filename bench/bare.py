"""Bare Temporal: empty processes of a booking's shape, run by a worker of their own; the anchor of paying."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client
from temporalio.worker import Worker

from bench.bare_booking import BareBooking, authorise, capture, record, settle
from settings import ROOT

QUEUE = "bare"
WINDOW = timedelta(minutes=15)


async def paid_per_second(address: str, *, callers: int, bookings: int) -> float:
    """So many callers start and pay so many processes, one after the other; processes per second."""
    client = await Client.connect(address)
    left = iter(range(bookings))

    async def buy() -> None:
        for _ in left:
            number = str(uuid4())
            handle = await client.start_workflow(
                BareBooking.run, number, id=f"bare/{number}", task_queue=QUEUE, start_delay=WINDOW
            )
            await handle.execute_update(BareBooking.pay, number)

    began = time.perf_counter()
    await asyncio.gather(*(buy() for _ in range(callers)))
    return bookings / (time.perf_counter() - began)


@contextmanager
def a_worker(address: str) -> Iterator[int]:
    """The bare worker in a process of its own for as long as the block lasts; its pid."""
    command = (sys.executable, "-m", "bench.bare", address)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None, "it was asked for"
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)


async def _serve(address: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(address)
    with ThreadPoolExecutor(32) as threads:
        steps = [authorise, settle, capture, record]
        async with Worker(
            client, task_queue=QUEUE, workflows=[BareBooking], activities=steps, activity_executor=threads
        ):
            print("polling", flush=True)
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
