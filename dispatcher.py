"""The dispatcher: delivers the outbox to Temporal and to mail until accepted, and ends what the clock has ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

import logs
from activities import mailing
from activities.expiring import expire_due_reservations
from db import outbox
from db.outbox import Message
from db.transaction import Database, DatabaseAway
from gateways import temporal
from gateways.mail import MailUndeliverable
from gateways.storage import FolderStorage
from gateways.temporal import Engine, NotAccepted
from settings import Settings, current

log = structlog.get_logger("dispatcher")

BATCH = 100
IDLE_PAUSE, EXPIRY_PAUSE, UNANSWERED_PAUSE = 0.05, 1.0, 5.0
# An engine that forgot a process it had accepted (a lost database) is told again after this long.
UNANSWERED_AFTER = timedelta(seconds=30)
LEASE = timedelta(seconds=15)
LONGEST_WAIT = timedelta(seconds=20)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure(part="dispatcher")
    asyncio.run(_run(current()))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Database(str(settings.app_database_url), size=8, name="dispatcher") as database:
        courier = Courier(database, settings)
        rounds = [
            _repeat(stop, courier.deliver_due, pause=IDLE_PAUSE),
            _repeat(stop, lambda: asyncio.to_thread(expire_due_reservations, database), pause=EXPIRY_PAUSE),
            _repeat(stop, lambda: asyncio.to_thread(_send_unanswered_again, database), pause=UNANSWERED_PAUSE),
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
    """Takes due messages in batches and brings each to its address; what is not accepted comes again later."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._engine: Engine | None = None
        self._storage = FolderStorage(Path(settings.documents_dir))

    async def deliver_due(self) -> int:
        """One round over what is due; how many messages it took."""
        found = await asyncio.to_thread(outbox.due, self._database, most=BATCH)
        taken = 0
        for tenant_id, ids in found.items():
            messages = await asyncio.to_thread(self._claim, tenant_id, ids)
            taken += len(messages)
            outcomes = await asyncio.gather(*(self._try(message) for message in messages))
            await asyncio.to_thread(self._close, tenant_id, messages, outcomes)
        return taken

    def _claim(self, tenant_id: UUID, ids: list[UUID]) -> list[Message]:
        with self._database.transaction(tenant_id) as tx:
            return outbox.claim(tx, ids, lease=LEASE)

    def _close(self, tenant_id: UUID, messages: list[Message], outcomes: list[str | None]) -> None:
        with self._database.transaction(tenant_id) as tx:
            outbox.delivered(tx, [m.id for m, error in zip(messages, outcomes, strict=True) if error is None])
            for message, error in zip(messages, outcomes, strict=True):
                if error is not None:
                    outbox.again(tx, message.id, wait=_wait(message), error=error)

    async def _try(self, message: Message) -> str | None:
        """None when it was accepted, else why not."""
        try:
            await (self._post(message) if message.kind == "MAIL" else self._hand_over(message))
        except (NotAccepted, mailing.NotYet) as later:
            return str(later)[:300]
        except MailUndeliverable as undeliverable:
            log.warning("mail not taken", message_id=str(message.id), temporary=undeliverable.temporary)
            return str(undeliverable)[:300]
        except Exception as error:
            log.exception("could not deliver", message_id=str(message.id), kind=message.kind)
            return repr(error)[:300]
        return None

    async def _post(self, message: Message) -> None:
        await asyncio.to_thread(
            mailing.post_letter, self._database, message, storage=self._storage, smtp_url=str(self._settings.smtp_url)
        )

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

    async def _connected(self) -> Engine:
        if self._engine is None:
            address = str(self._settings.temporal_address)
            try:
                client = await temporal.connect(address, namespace=self._settings.temporal_namespace)
            except RuntimeError as error:
                raise NotAccepted(str(error).split("\n")[0]) from error
            self._engine = Engine(client)
        return self._engine


def _wait(message: Message) -> timedelta:
    """Soon at first, then slower: 0.1 s, 0.2 s, 0.4 s ... 20 s."""
    doublings = min(max(message.attempts - 1, 0), 12)
    return min(timedelta(seconds=0.1) * (1 << doublings), LONGEST_WAIT)
