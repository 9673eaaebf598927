"""The process of a cancellation: give up once, then see the money on its way to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from temporalio.client import Client

from activities.cancelling import Executed
from activities.refunds import NextAttempt
from db.ids import new_id
from gateways.temporal import Engine
from tests.makers.booking_process import (
    REFUNDED,
    REFUSED,
    UNKNOWN,
    Away,
    Process,
    Rehearsal,
    a_cancellation_process,
)
from tests.workflows.conftest import Serve

MOST_EVENTS = 16


@pytest.fixture
def new_cancellation(engine: Engine, client: Client) -> Callable[..., Process]:
    return partial(a_cancellation_process, engine, client)


async def test_tickets_are_given_up_before_the_provider_hears_of_it(
    serve: Serve, new_cancellation: Callable[..., Process]
) -> None:
    told, cancellation = Rehearsal(), new_cancellation()

    async with serve(told.steps):
        await cancellation.start()
        events = await cancellation.ended()

    assert told.calls == ["execute", "submit", "send", "record refund"]
    print(f"a cancellation has {events} events")  # noqa: T201 -- the figure is published
    assert events <= MOST_EVENTS


async def test_where_nothing_goes_back_or_the_quote_was_stale_nobody_is_asked(
    serve: Serve, new_cancellation: Callable[..., Process]
) -> None:
    told, cancellation = Rehearsal({"execute": [Executed()]}), new_cancellation()

    async with serve(told.steps):
        await cancellation.start()
        await cancellation.ended()

    assert told.calls == ["execute"]


async def test_a_refused_attempt_is_followed_by_the_next_until_people_take_over(
    serve: Serve, new_cancellation: Callable[..., Process]
) -> None:
    following = [new_id(), new_id()]
    answers = [*(NextAttempt(refund_id=refund_id) for refund_id in following), NextAttempt()]
    told, cancellation = Rehearsal({"send": [REFUSED], "record refund": answers}), new_cancellation()

    async with serve(told.steps):
        await cancellation.start()
        await cancellation.ended()

    assert told.calls == ["execute", *["submit", "send", "record refund"] * 3]
    assert [step.refund_id for step in told.told[4::3]] == following


async def test_an_unanswered_refund_is_looked_up_and_never_sent_anew(
    serve: Serve, new_cancellation: Callable[..., Process]
) -> None:
    told = Rehearsal({"send": [UNKNOWN], "find out refund": [Away(), Away(), REFUNDED]})
    cancellation = new_cancellation()

    async with serve(told.steps):
        await cancellation.start()
        await cancellation.ended()

    assert told.calls == ["execute", "submit", "send", *["find out refund"] * 3, "record refund"]
    assert told.told[-1].word == REFUNDED


async def test_started_twice_it_runs_once(serve: Serve, new_cancellation: Callable[..., Process]) -> None:
    told, cancellation = Rehearsal(), new_cancellation()

    async with serve(told.steps):
        for _ in range(2):
            await cancellation.start()
            await cancellation.ended()

    assert told.calls.count("execute") == 1


async def test_another_worker_sees_the_refund_through(serve: Serve, new_cancellation: Callable[..., Process]) -> None:
    first, second, cancellation = Rehearsal({"send": [Away()]}), Rehearsal(), new_cancellation()

    async with serve(first.steps):
        await cancellation.start()
        while "send" not in first.calls:  # noqa: ASYNC110 -- the steps run in threads
            await asyncio.sleep(0.05)
    async with serve(second.steps):
        await cancellation.ended()

    assert first.calls[:3] == ["execute", "submit", "send"]
    assert second.calls == ["send", "record refund"]
