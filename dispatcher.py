"""The dispatcher: delivers the outbox to Temporal and to mail until accepted, ends and adds up what the clock has ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

import structlog

import logs
from activities import documents, mailing
from activities.expiring import expire_due_reservations
from activities.totals import add_up_closed_days
from db import outbox
from db.documents import Unmade, hand_over, unmade
from db.outbox import Message, OpenProcess
from db.transaction import Database, DatabaseAway, Tx
from domain import fingerprints
from gateways import temporal
from gateways.mail import MailUndeliverable
from gateways.storage import FolderStorage
from gateways.temporal import Engine, NotAccepted
from settings import Settings, current

T = TypeVar("T")
Lost = TypeVar("Lost", OpenProcess, Unmade)

log = structlog.get_logger("dispatcher")

BATCH = 100
IDLE_PAUSE, LETTERS_PAUSE, EXPIRY_PAUSE, UNANSWERED_PAUSE, TOTALS_PAUSE = 0.05, 0.2, 1.0, 5.0, 60.0
# A start is mostly that of a basket's process, which then sleeps for minutes: collected for a moment, many cost the rows
# and the engine hardly more than one, and whoever pays at once spares it.
STARTS_PAUSE = 0.15
# Temporal's list lags a little behind; what is younger is on its way.
LOST_PAUSE, LOST_AFTER, LOST_BATCH = 5.0, timedelta(seconds=10), 2000
# An engine that forgot a process it had accepted (a lost database) is told again after this long.
UNANSWERED_AFTER = timedelta(seconds=30)
LONGEST_WAIT = timedelta(seconds=20)


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Messages that wait for nothing but their own kind: how many at a time, by how many threads, leased how long."""

    name: str
    kinds: tuple[str, ...]
    most: int
    threads: int
    lease: timedelta
    pause: float
    collects: bool = False
    """Whether it keeps its pause even while there is work, unless a round was full."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """Why a message was left for later, or `for_good`; `for_papers` when its own papers are all it waits for."""

    error: str
    for_papers: bool = False
    for_good: bool = False


# What somebody waits for does not stand behind what nobody waits for, and no payment behind a mail server that hangs.
ASKED = Lane(name="asked", kinds=("UPDATE",), most=BATCH, threads=4, lease=timedelta(seconds=15), pause=IDLE_PAUSE)
STARTS = Lane(
    name="starts",
    kinds=("START",),
    most=BATCH,
    threads=4,
    lease=timedelta(seconds=15),
    pause=STARTS_PAUSE,
    collects=True,
)
# Nobody waits for these: a second's papers of an agency are one process, which costs what one paper's would.
PAPERS = Lane(
    name="papers", kinds=("PAPER",), most=BATCH, threads=2, lease=timedelta(seconds=15), pause=1.0, collects=True
)
LETTERS = Lane(name="letters", kinds=("MAIL",), most=16, threads=8, lease=timedelta(seconds=60), pause=LETTERS_PAUSE)
LANES = (ASKED, STARTS, PAPERS, LETTERS)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure(part="dispatcher")
    asyncio.run(_run(current()))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Database(str(settings.app_database_url), size=16, name="dispatcher") as database:
        await serve(settings, database, stop=stop)


async def serve(settings: Settings, database: Database, *, stop: asyncio.Event) -> None:
    """Deliver, expire and look after what was never answered, until told to stop."""
    with ExitStack() as couriers:
        lanes = [couriers.enter_context(Courier(database, settings, lane=lane)) for lane in LANES]
        rounds = [
            *(_repeat(stop, courier.round, pause=courier.lane.pause) for courier in lanes),
            _repeat(stop, lambda: asyncio.to_thread(expire_due_reservations, database), pause=EXPIRY_PAUSE),
            _repeat(stop, lambda: asyncio.to_thread(_send_unanswered_again, database), pause=UNANSWERED_PAUSE),
            _repeat(stop, lanes[0].bring_back_lost, pause=LOST_PAUSE),
            _repeat(stop, lambda: asyncio.to_thread(add_up_closed_days, database), pause=TOTALS_PAUSE),
        ]
        tasks = [asyncio.ensure_future(one) for one in rounds]
        await stop.wait()
        await asyncio.wait(tasks, timeout=3)


async def _repeat(stop: asyncio.Event, act: Callable[[], Awaitable[int]], *, pause: float) -> None:
    """Again and again, at once while there is work; an outage is logged and waited out."""
    while not stop.is_set():
        wait = pause
        try:
            if await act():
                wait = 0.0
        except DatabaseAway as away:
            log.warning("the database is away", error=str(away).split("\n")[0])
            wait = 0.5
        except Exception:
            log.exception("a round failed")
            wait = 1.0
        if wait:
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue


def _send_unanswered_again(database: Database) -> int:
    """Queue again what was accepted and never ended; always 0, so that the next look keeps its pause."""
    for tenant_id, ids in outbox.unanswered(database, since=UNANSWERED_AFTER, most=BATCH).items():
        with database.transaction(tenant_id) as tx:
            outbox.send_again(tx, ids)
    return 0


class Courier:
    """Takes a lane's due messages in batches and brings each to its address; what is not accepted comes again later."""

    def __init__(self, database: Database, settings: Settings, *, lane: Lane) -> None:
        self._database = database
        self._settings = settings
        self.lane = lane
        self._threads = ThreadPoolExecutor(lane.threads, thread_name_prefix=lane.name)
        self._engine: Engine | None = None
        self._connecting = asyncio.Lock()
        self._storage = FolderStorage(Path(settings.documents_dir))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def round(self) -> int:
        """Deliver what is due; whether there is more to do at once."""
        taken = await self.deliver_due()
        return 0 if self.lane.collects and taken < self.lane.most else taken

    async def deliver_due(self) -> int:
        """One round over what is due; how many messages it took."""
        lane = self.lane
        found = await self._apart(lambda: outbox.due(self._database, most=lane.most, kinds=lane.kinds))
        return sum(await asyncio.gather(*(self._deliver(tenant_id, ids) for tenant_id, ids in found.items())))

    async def _deliver(self, tenant_id: UUID, ids: list[UUID]) -> int:
        messages = await self._apart(lambda: self._claim(tenant_id, ids))
        parcels = _parcels(messages)
        outcomes = await asyncio.gather(*(self._try(parcel) for parcel in parcels))
        each = [(message, left) for parcel, left in zip(parcels, outcomes, strict=True) for message in parcel]
        await self._apart(lambda: self._close(tenant_id, each))
        return len(messages)

    async def _apart(self, act: Callable[[], T]) -> T:
        """Do it in a thread of the lane's own: another lane's silence must not use up ours."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    def _claim(self, tenant_id: UUID, ids: list[UUID]) -> list[Message]:
        with self._database.transaction(tenant_id) as tx:
            return outbox.claim(tx, ids, lease=self.lane.lease)

    def _close(self, tenant_id: UUID, outcomes: list[tuple[Message, Left | None]]) -> None:
        with self._database.transaction(tenant_id) as tx:
            outbox.hold(tx, [message.id for message, _ in outcomes])
            accepted = [message for message, left in outcomes if left is None]
            outbox.delivered(tx, accepted)
            if papers := [message for message in accepted if message.kind == "PAPER"]:
                named = [UUID(paper.payload["document_id"]) for paper in papers]
                hand_over(tx, named, process_id=_process_of(papers))
            for message, left in outcomes:
                if left is not None:
                    _leave(tx, message, left)

    async def _try(self, parcel: list[Message]) -> Left | None:
        """None when it was accepted, else why not."""
        message = parcel[0]
        try:
            match message.kind:
                case "MAIL":
                    await self._post(message)
                case "PAPER":
                    await self._print(parcel)
                case _:
                    await self._hand_over(message)
        except NotAccepted as later:
            return Left(error=str(later)[:300])
        except mailing.NotYet as unmade:
            return Left(error=str(unmade)[:300], for_papers=True)
        except MailUndeliverable as undeliverable:
            # Why, and to whom, is for the rows: a log names nobody's address.
            say = log.warning if undeliverable.temporary else log.error
            say("mail not taken", message_id=str(message.id), temporary=undeliverable.temporary)
            return Left(error=str(undeliverable)[:300], for_good=not undeliverable.temporary)
        except Exception as error:
            log.exception("could not deliver", message_id=str(message.id), kind=message.kind)
            return Left(error=repr(error)[:300])
        return None

    async def _post(self, message: Message) -> None:
        smtp_url = str(self._settings.smtp_url)
        await self._apart(
            lambda: mailing.post_letter(self._database, message, storage=self._storage, smtp_url=smtp_url)
        )

    async def _print(self, papers: list[Message]) -> None:
        """One process for all."""
        named = [paper.payload["document_id"] for paper in papers]
        argument = {"tenant_id": str(papers[0].tenant_id), "document_ids": named}
        await (await self._connected()).start(documents.PAPERS, process_id=_process_of(papers), argument=argument)

    async def _hand_over(self, message: Message) -> None:
        engine = await self._connected()
        payload = message.payload
        starts_at = datetime.fromisoformat(payload["starts_at"]) if "starts_at" in payload else None
        if message.kind == "START":
            await engine.start(
                payload["process"], process_id=payload["process_id"], argument=payload["argument"], starts_at=starts_at
            )
            return
        await engine.update(
            payload["process"],
            process_id=payload["process_id"],
            argument=payload["argument"],
            verb=payload["verb"],
            operation_id=UUID(payload["operation_id"]),
            starts_at=starts_at,
        )

    async def bring_back_lost(self) -> int:
        """Send again what starts a process that should run and does not; 0, so that the next look keeps its pause."""
        wanted = await self._apart(lambda: outbox.open_processes(self._database, since=LOST_AFTER, most=LOST_BATCH))
        papers = await self._apart(lambda: unmade(self._database, since=LOST_AFTER, most=LOST_BATCH))
        running = await (await self._connected()).running() if wanted or papers else set()
        for tenant_id, lost in _by_tenant(one for one in wanted if one.process_id not in running).items():
            log.warning("processes are missing; starting them", count=len(lost))
            await self._apart(partial(self._send_again, tenant_id, [one.message_id for one in lost]))
        for tenant_id, unprinted in _by_tenant(paper for paper in papers if paper.process_id not in running).items():
            asked = await self._apart(partial(self._ask_again, tenant_id, unprinted))
            log.warning("papers were lost with their processes; asking for them again", count=asked)
        return 0

    def _send_again(self, tenant_id: UUID, ids: list[UUID]) -> None:
        with self._database.transaction(tenant_id) as tx:
            outbox.send_again(tx, ids)

    def _ask_again(self, tenant_id: UUID, lost: list[Unmade]) -> int:
        with self._database.transaction(tenant_id) as tx:
            return documents.request_lost(tx, lost)

    async def _connected(self) -> Engine:
        async with self._connecting:
            if self._engine is None:
                address = str(self._settings.temporal_address)
                self._engine = Engine(await temporal.reach(address, namespace=self._settings.temporal_namespace))
            return self._engine


def _by_tenant(lost: Iterable[Lost]) -> dict[UUID, list[Lost]]:
    found: dict[UUID, list[Lost]] = {}
    for one in lost:
        found.setdefault(one.tenant_id, []).append(one)
    return found


def _process_of(papers: list[Message]) -> str:
    """The same messages again are the same process, and with one more another one."""
    return f"papers/{fingerprints.of([paper.id for paper in papers])}"


def _parcels(messages: list[Message]) -> list[list[Message]]:
    """What goes together: an agency's papers; anything else goes alone."""
    papers = sorted((message for message in messages if message.kind == "PAPER"), key=lambda paper: paper.id)
    return [[message] for message in messages if message.kind != "PAPER"] + ([papers] if papers else [])


def _leave(tx: Tx, message: Message, left: Left) -> None:
    if left.for_good:
        outbox.give_up(tx, message, error=left.error)
        return
    again = outbox.again_with_papers if left.for_papers else outbox.again
    again(tx, message.id, wait=_wait(message), error=left.error)


def _wait(message: Message) -> timedelta:
    """Soon at first, then slower: 0.1 s, 0.2 s, 0.4 s ... 20 s."""
    doublings = min(max(message.attempts - 1, 0), 12)
    return min(timedelta(seconds=0.1) * (1 << doublings), LONGEST_WAIT)
