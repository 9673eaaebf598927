"""The process of a booking: which step follows which answer, what wakes it, and how little of it the engine has to keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.booking import Position, Settled
from activities.refunds import NextAttempt
from db.ids import new_id
from gateways.temporal import Engine
from tests.makers.booking_process import (
    CAPTURED,
    DECLINED,
    REFUNDED,
    REFUSED,
    UNKNOWN,
    Away,
    Process,
    Rehearsal,
    a_booking_process,
)
from tests.workflows.conftest import Serve

SOLD = ["authorise", "settle", "capture", "record capture"]
MOST_EVENTS_PAID, MOST_EVENTS_ABANDONED = 16, 6


@pytest.fixture
def new_booking(engine: Engine, client: Client) -> Callable[..., Process]:
    return partial(a_booking_process, engine, client)


async def test_a_payment_is_promise_sale_capture_record(serve: Serve, new_booking: Callable[..., Process]) -> None:
    told, booking = Rehearsal(), new_booking()

    async with serve(told.steps):
        await booking.start()
        payment_id = await booking.ask("pay")
        events = await booking.ended()

    assert told.calls == SOLD
    assert {step.payment_id for step in told.told} == {payment_id}
    print(f"a paid booking has {events} events")  # noqa: T201 -- the figure is published
    assert events <= MOST_EVENTS_PAID


async def test_an_abandoned_basket_costs_one_look_at_the_clock(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal(), new_booking(seconds=1.5)

    async with serve(told.steps):
        await booking.start()
        await asyncio.sleep(0.7)
        assert told.calls == []
        events = await booking.ended()

    assert told.calls == ["expire"]
    print(f"an abandoned booking has {events} events")  # noqa: T201 -- the figure is published
    assert events <= MOST_EVENTS_ABANDONED


async def test_a_payment_wakes_a_process_that_has_ten_minutes_to_sleep(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal(), new_booking(seconds=600)

    async with serve(told.steps):
        await booking.start()
        began = time.monotonic()
        await booking.ask("pay")
        waited = time.monotonic() - began
        await booking.ended()

    assert waited < 10
    assert told.calls == SOLD


async def test_a_payment_that_comes_before_its_process_starts_it(
    serve: Serve, new_booking: Callable[..., Process], client: Client
) -> None:
    told, booking = Rehearsal(), new_booking()

    async with serve(told.steps):
        await booking.ask("pay")
        first = await booking.handle.describe()
        await booking.ended()
        await booking.start()
        again = await client.get_workflow_handle(booking.process_id).describe()

    assert first.run_id == again.run_id
    assert told.calls == SOLD


async def test_after_a_declined_card_it_waits_for_the_next(serve: Serve, new_booking: Callable[..., Process]) -> None:
    told, booking = Rehearsal({"authorise": [DECLINED, CAPTURED]}), new_booking()

    async with serve(told.steps):
        await booking.start()
        await booking.ask("pay")
        assert (await booking.handle.describe()).status == WorkflowExecutionStatus.RUNNING
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", "settle", "authorise", "settle", "record capture"]


async def test_a_declined_card_does_not_move_the_end_of_the_reservation(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal({"authorise": [DECLINED]}), new_booking(seconds=4)

    async with serve(told.steps):
        began = time.monotonic()
        await booking.start()
        await asyncio.sleep(2)
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", "settle", "expire"]
    assert 3.5 < told.at["expire"] - began < 5.5


async def test_the_payment_grace_is_waited_for(serve: Serve, new_booking: Callable[..., Process]) -> None:
    still = Position(open=True, seconds_left=1.0)
    told, booking = (
        Rehearsal({"expire": [still, Position(open=True, seconds_left=0), Position(open=False, seconds_left=0)]}),
        new_booking(seconds=0.5),
    )

    async with serve(told.steps):
        await booking.start()
        await booking.ended()

    assert told.calls == ["expire"] * 3


async def test_what_the_provider_did_not_answer_is_looked_up_until_it_is_known(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told = Rehearsal({"authorise": [UNKNOWN], "find out authorise": [Away(), Away(), CAPTURED]})
    booking = new_booking()

    async with serve(told.steps):
        await booking.start()
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", *["find out authorise"] * 3, "settle", "record capture"]


async def test_an_unanswered_capture_is_looked_up_and_not_sent_again(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told = Rehearsal({"capture": [UNKNOWN], "find out capture": [Away(), REFUSED]})
    booking = new_booking()

    async with serve(told.steps):
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", "settle", "capture", *["find out capture"] * 2, "record capture"]
    assert told.told[-1].word == REFUSED


async def test_a_capture_that_is_hindered_is_sent_again_by_a_patient_step(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal({"capture": [Away(), Away(), CAPTURED]}), new_booking()

    async with serve(told.steps):
        await booking.start()
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", "settle", *["capture"] * 3, "record capture"]


async def test_a_process_of_an_earlier_release_takes_the_money_in_a_step_of_its_own(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal(), new_booking(at_once=False)

    async with serve(told.steps):
        await booking.start()
        await booking.ask("pay")
        events = await booking.ended()

    assert told.calls == SOLD
    assert events == 21


async def test_a_promise_without_seats_is_let_go(serve: Serve, new_booking: Callable[..., Process]) -> None:
    told = Rehearsal({"settle": [Settled(then="void")], "void": [UNKNOWN], "find out void": [REFUSED]})
    booking = new_booking()

    async with serve(told.steps):
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", "settle", "void", "find out void", "record void"]


async def test_late_money_without_seats_is_sent_back_attempt_by_attempt(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    first, second = new_id(), new_id()
    told = Rehearsal(
        {
            "settle": [Settled(then="refund", refund_id=first)],
            "send": [REFUSED, UNKNOWN],
            "find out refund": [Away(), REFUNDED],
            "record refund": [NextAttempt(refund_id=second), NextAttempt()],
        }
    )
    booking = new_booking()

    async with serve(told.steps):
        await booking.ask("pay")
        await booking.ended()

    attempt = ["submit", "send"]
    looked_up = ["find out refund"] * 2
    assert told.calls == ["authorise", "settle", *attempt, "record refund", *attempt, *looked_up, "record refund"]
    assert [step.refund_id for step in told.told[2:]] == [first] * 3 + [second] * 5


async def test_an_unpaid_booking_is_released(serve: Serve, new_booking: Callable[..., Process]) -> None:
    told, booking = Rehearsal(), new_booking()

    async with serve(told.steps):
        await booking.start()
        operation_id = await booking.ask("release")
        await booking.ended()

    assert told.calls == ["release"]
    assert told.told[0].operation_id == operation_id


async def test_a_release_that_was_refused_leaves_the_process_waiting(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal({"release": [Position(open=True, seconds_left=600)]}), new_booking()

    async with serve(told.steps):
        await booking.start()
        await booking.ask("release")
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["release", *SOLD]


async def test_two_who_ask_at_once_are_served_one_after_the_other(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told, booking = Rehearsal({"authorise": [DECLINED]}, slow=0.2), new_booking()

    async with serve(told.steps):
        await booking.start()
        await asyncio.gather(*(booking.ask("pay") for _ in range(3)))
        await booking.ask("release")
        await booking.ended()

    assert told.calls == ["authorise", "settle"] * 3 + ["release"]


async def test_a_message_delivered_twice_is_heard_once(serve: Serve, new_booking: Callable[..., Process]) -> None:
    told, booking, operation_id = Rehearsal({"authorise": [DECLINED]}), new_booking(), new_id()

    async with serve(told.steps):
        await booking.start()
        await booking.start()
        for _ in range(3):
            await booking.bring("pay", operation_id)
        await booking.handle.get_update_handle(str(operation_id)).result()
        await booking.ask("release")
        await booking.ended()

    assert told.calls == ["authorise", "settle", "release"]


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told = Rehearsal({"settle": [Away(), Away(), Settled(then="capture")], "record capture": [Away(), True]})
    booking = new_booking()

    async with serve(told.steps):
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == ["authorise", *["settle"] * 3, "capture", *["record capture"] * 2]


async def test_another_worker_goes_on_where_the_first_one_stopped(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    first, second, booking = Rehearsal({"capture": [Away()]}), Rehearsal(), new_booking()

    async with serve(first.steps):
        await booking.start()
        await booking.bring("pay")
        while "capture" not in first.calls:  # noqa: ASYNC110 -- the steps run in threads
            await asyncio.sleep(0.05)
    async with serve(second.steps):
        await booking.ended()

    assert first.calls[:3] == ["authorise", "settle", "capture"]
    assert second.calls == ["capture", "record capture"]


async def test_a_worker_that_remembers_no_process_does_the_same(
    serve: Serve, new_booking: Callable[..., Process]
) -> None:
    told = Rehearsal({"authorise": [DECLINED, UNKNOWN], "find out authorise": [Away(), CAPTURED]})
    booking = new_booking()

    async with serve(told.steps, max_cached_workflows=0):
        await booking.start()
        await booking.ask("pay")
        await booking.ask("pay")
        await booking.ended()

    assert told.calls == [
        "authorise",
        "settle",
        "authorise",
        *["find out authorise"] * 2,
        "settle",
        "record capture",
    ]
