"""The courier: what the outbox holds reaches engine and mail at least once, takes effect once, and waits for nobody else."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from typing_extensions import override

import dispatcher
from db import documents, outbox
from db.ids import new_id
from db.outbox import Message
from db.transaction import Database
from dispatcher import ASKED, LETTERS, Courier, Lane
from settings import Settings
from tests.gateways.parts import Part
from tests.makers.booking_process import Rehearsal
from tests.makers.engine import serving
from tests.makers.selling import Shop, authorised, refused

NOBODY = "127.0.0.1:9"
TO_PROCESSES = replace(ASKED, kinds=("START", "UPDATE"))


def waiting(shop: Shop) -> list[dict[str, Any]]:
    query = "SELECT kind, key, attempts, last_error, payload FROM outbox WHERE delivered_at IS NULL ORDER BY id"
    with shop.tx() as tx:
        found: list[dict[str, Any]] = tx.dicts(query)
        return found


def make_due(shop: Shop) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET next_at = now()")


def letters(settings: Settings) -> int:
    return len(list(settings.mail_dir.glob("*.eml")))


def a_letter(shop: Shop) -> UUID:
    """A letter without papers, in the queue: a capture that was finally refused."""
    booking_id = shop.basket(1)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    shop.capture(payment_id, refused("capture_refused"))
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET delivered_at = now() WHERE kind <> 'MAIL' AND delivered_at IS NULL")
    return booking_id


# To processes


async def test_a_basket_becomes_a_process_that_sleeps_until_its_time(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    booking_id = shop.basket(1)

    with Courier(quiet, settings, lane=TO_PROCESSES) as courier:
        assert await courier.deliver_due() == 1

    found = await client.get_workflow_handle(f"booking/{booking_id}").describe()
    assert found.status == WorkflowExecutionStatus.RUNNING
    assert waiting(shop) == []
    shop.pay(booking_id)
    assert "starts_at" in waiting(shop)[0]["payload"]  # It wakes the one there is.


async def test_a_payment_reaches_its_process_and_its_operation_runs(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    told, booking_id = Rehearsal(), shop.basket(1)
    payment_id = shop.pay(booking_id)

    async with serving(client, told.steps):
        with Courier(quiet, settings, lane=TO_PROCESSES) as courier:
            assert await courier.deliver_due() == 1  # Who pays at once spares the process its start.
        await client.get_workflow_handle(f"booking/{booking_id}").result()

    assert told.calls == ["authorise", "settle", "capture", "record capture"]
    assert told.told[0].payment_id == payment_id
    assert shop.outcome(payment_id) == ("running", None)
    assert waiting(shop) == []


async def test_without_an_engine_everything_waits_and_is_delivered_when_it_is_there(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    booking_id = shop.basket(1)
    away = settings.model_copy(update={"temporal_address": NOBODY})

    with Courier(quiet, away, lane=TO_PROCESSES) as courier:
        began = time.monotonic()
        await courier.deliver_due()
        assert time.monotonic() - began < 5
    left = waiting(shop)
    make_due(shop)
    with Courier(quiet, settings, lane=TO_PROCESSES) as courier:
        await courier.deliver_due()

    assert [(row["kind"], row["attempts"]) for row in left] == [("START", 1)]
    assert left[0]["last_error"]
    assert waiting(shop) == []
    assert (await client.get_workflow_handle(f"booking/{booking_id}").describe()).status is not None


async def test_a_payment_that_no_worker_takes_is_kept_and_brought_again(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    told, booking_id = Rehearsal(), shop.basket(1)
    shop.pay(booking_id)

    with Courier(quiet, settings, lane=TO_PROCESSES) as courier:
        await courier.deliver_due()
        assert [row["kind"] for row in waiting(shop)] == ["UPDATE"]
        async with serving(client, told.steps):
            for _ in range(20):
                make_due(shop)
                await courier.deliver_due()
                if not waiting(shop):
                    break
            await client.get_workflow_handle(f"booking/{booking_id}").result()

    assert told.calls == ["authorise", "settle", "capture", "record capture"]


async def test_a_delivery_that_was_not_noted_is_made_again_and_has_one_effect(
    quiet: Database, shop: Shop, settings: Settings, client: Client
) -> None:
    told, booking_id = Rehearsal(), shop.basket(1)
    shop.pay(booking_id)

    async with serving(client, told.steps):
        with Courier(quiet, settings, lane=TO_PROCESSES) as courier:
            await courier.deliver_due()
            first = await client.get_workflow_handle(f"booking/{booking_id}").describe()
            await client.get_workflow_handle(f"booking/{booking_id}").result()
            with shop.tx() as tx:
                tx.run(
                    "UPDATE outbox SET delivered_at = NULL, next_at = now() WHERE key = %s",
                    (f"start booking/{booking_id}",),
                )
            await courier.deliver_due()
    again = await client.get_workflow_handle(f"booking/{booking_id}").describe()

    assert first.run_id == again.run_id
    assert told.calls.count("authorise") == 1


async def test_many_couriers_share_the_work(quiet: Database, shop: Shop, settings: Settings) -> None:
    brought: list[str] = []

    class Counting(Courier):
        @override
        async def _hand_over(self, message: Message) -> None:
            await asyncio.sleep(0.01)
            brought.append(message.key)

    with shop.tx() as tx:
        for number in range(60):
            outbox.start(tx, process="Nothing", process_id=f"nothing/{number}/{shop.tenant_id}", argument={})
    couriers = [Counting(quiet, settings, lane=TO_PROCESSES) for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(courier.deliver_due() for courier in couriers))

    assert len(brought) == len(set(brought)) == 60
    assert waiting(shop) == []


# To people


async def test_a_letter_is_posted_once(quiet: Database, shop: Shop, settings: Settings) -> None:
    a_letter(shop)

    with Courier(quiet, settings, lane=LETTERS) as courier:
        assert await courier.deliver_due() == 1
        with shop.tx() as tx:
            tx.run("UPDATE outbox SET delivered_at = NULL, next_at = now() WHERE kind = 'MAIL'")
        clear_all_but(shop, "payment_failed")
        await courier.deliver_due()

    assert letters(settings) == 1


def clear_all_but(shop: Shop, letter: str) -> None:
    with shop.tx() as tx:
        tx.run(
            "UPDATE outbox SET delivered_at = now() WHERE delivered_at IS NULL AND payload ->> 'letter' IS DISTINCT FROM %s",
            (letter,),
        )


async def test_while_the_mail_server_is_down_letters_wait(
    quiet: Database, shop: Shop, settings: Settings, sink: Part
) -> None:
    a_letter(shop)
    sink.kill()

    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()
        kept = waiting(shop)
        sink.start()
        make_due(shop)
        await courier.deliver_due()

    assert [(row["kind"], row["attempts"]) for row in kept] == [("MAIL", 1)]
    assert waiting(shop) == []
    assert letters(settings) == 1


async def test_a_letter_waits_for_its_papers(quiet: Database, shop: Shop, settings: Settings) -> None:
    shop.sold(1)
    clear_all_but(shop, "booking_confirmed")

    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()
        kept = waiting(shop)
        with shop.tx() as tx:
            tx.run("UPDATE documents SET failure = 'no font' WHERE kind = 'tickets'")
        make_due(shop)
        await courier.deliver_due()

    assert "not rendered yet" in kept[0]["last_error"]
    assert waiting(shop) == []
    assert letters(settings) == 1


async def test_a_paper_made_while_its_letter_was_being_put_off_is_not_missed(
    quiet: Database, shop: Shop, settings: Settings
) -> None:
    shop.sold(1)
    clear_all_but(shop, "booking_confirmed")

    class Slow(Courier):
        @override
        async def _try(self, parcel: list[Message]) -> dispatcher.Left | None:
            left = await super()._try(parcel)
            with shop.tx() as tx:
                (made,) = tx.values("SELECT id FROM documents WHERE kind = 'tickets'")
                documents.fail(tx, made, failure="no font")
                outbox.wake_letters(tx, made)
            return left

    with shop.tx() as tx:
        tx.run("UPDATE outbox SET attempts = 20 WHERE delivered_at IS NULL")
    with Slow(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()
        kept = waiting(shop)
        await courier.deliver_due()

    assert [row["attempts"] for row in kept] == [21]
    assert waiting(shop) == []
    assert letters(settings) == 1


async def test_a_letter_that_cannot_be_written_keeps_no_other(quiet: Database, shop: Shop, settings: Settings) -> None:
    with shop.tx() as tx:
        outbox.mail(tx, key="cursed", letter="no_such_letter", subject_id=new_id(), to="ada@example.org")
    a_letter(shop)

    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()

    assert [row["key"] for row in waiting(shop)] == ["mail cursed"]
    assert letters(settings) == 1


async def test_a_mail_server_that_hangs_keeps_no_payment_waiting(
    quiet: Database, shop: Shop, settings: Settings, sink: Part, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(1, 4):
        booking_id = shop.basket(place)
        payment_id = shop.pay(booking_id)
        shop.settle(payment_id, authorised())
        shop.capture(payment_id, refused("capture_refused"))
    clear_all_but(shop, "payment_failed")
    sink.freeze()
    stop, told = asyncio.Event(), Rehearsal()

    async with serving(client, told.steps):
        running = asyncio.create_task(dispatcher.serve(settings, quiet, stop=stop))
        await asyncio.sleep(0.5)
        booking_id = shop.basket(5)
        shop.pay(booking_id)
        began = time.monotonic()
        while "record capture" not in told.calls:  # noqa: ASYNC110 -- the steps run in threads
            await asyncio.sleep(0.05)
        took = time.monotonic() - began
        sink.thaw()
        stop.set()
        await running

    assert took < 8  # The mail server would have kept it ten.


# The rest


def test_what_is_not_accepted_comes_again_soon_at_first_then_slower() -> None:
    def wait(attempts: int) -> float:
        message = Message(
            tenant_id=new_id(),
            id=new_id(),
            kind="MAIL",
            key="k",
            payload={},
            attempts=attempts,
            created_at=datetime.now(UTC),
        )
        return dispatcher._wait(message).total_seconds()

    assert [wait(attempts) for attempts in (1, 2, 3, 4)] == [0.1, 0.2, 0.4, 0.8]
    assert wait(9) == wait(1000) == 20


async def test_a_dispatcher_that_dies_leaves_its_messages_to_the_next_after_the_lease(
    quiet: Database, shop: Shop, settings: Settings
) -> None:
    short = Lane(name="short", kinds=("START",), most=10, threads=2, lease=timedelta(seconds=0.3), pause=0.05)
    shop.basket(1)

    class Dying(Courier):
        @override
        async def _hand_over(self, message: Message) -> None:
            raise asyncio.CancelledError

    with Dying(quiet, settings, lane=short) as dying, pytest.raises(asyncio.CancelledError):
        await dying.deliver_due()
    with Courier(quiet, settings, lane=short) as courier:
        assert await courier.deliver_due() == 0
        await asyncio.sleep(0.4)
        assert await courier.deliver_due() == 1

    assert waiting(shop) == []


async def test_the_clock_is_watched_though_the_engine_is_away(quiet: Database, shop: Shop, settings: Settings) -> None:
    away = settings.model_copy(update={"temporal_address": NOBODY})
    booking_id = shop.basket(1, window=timedelta(seconds=1))
    stop = asyncio.Event()

    running = asyncio.create_task(dispatcher.serve(away, quiet, stop=stop))
    await asyncio.sleep(4)
    stop.set()
    await running

    assert shop.status(booking_id)[:2] == ("CANCELLED", "EXPIRED")


async def test_what_an_engine_has_forgotten_is_told_again(
    quiet: Database, shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "UNANSWERED_AFTER", timedelta(0))
    payment_id = shop.pay(shop.basket(1))
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET delivered_at = now() - interval '1 second'")

    dispatcher._send_unanswered_again(quiet)

    assert [row["key"] for row in waiting(shop)] == [f"update {payment_id}"]
