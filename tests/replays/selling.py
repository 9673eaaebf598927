"""The endings of the selling processes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from activities.booking import Position, Settled
from activities.cancelling import Executed
from activities.refunds import NextAttempt
from db.ids import new_id
from tests.makers.booking_process import (
    AUTHORISED,
    CAPTURED,
    DECLINED,
    ENDED,
    REFUNDED,
    REFUSED,
    UNKNOWN,
    Away,
    Process,
    a_booking_process,
    a_cancellation_process,
)
from tests.replays.stage import Ending, Stage

Answers = dict[str, Sequence[Any]]


async def asked(
    stage: Stage,
    *,
    verbs: Sequence[str],
    answers: Answers | None = None,
    seconds: float = 600,
    at_once: bool = False,
) -> str:
    """A booking of which this was asked, one after the other."""
    stage.selling.answers.update(answers or {})
    booking = a_booking_process(stage.engine, stage.client, seconds=seconds, at_once=at_once)
    await booking.start()
    for verb in verbs:
        await booking.ask(verb)
    return await over(booking)


async def paid_before_its_start(stage: Stage, *, at_once: bool = False) -> str:
    """The payment came first and started the process."""
    booking = a_booking_process(stage.engine, stage.client, at_once=at_once)
    await booking.ask("pay")
    return await over(booking)


async def given_up(stage: Stage, *, answers: Answers | None = None) -> str:
    """A cancellation."""
    stage.selling.answers.update(answers or {})
    cancellation = a_cancellation_process(stage.engine, stage.client)
    await cancellation.start()
    return await over(cancellation)


async def over(process: Process) -> str:
    """Wait for the process to end."""
    await process.ended()
    return process.process_id


def pays(*words: Any, at_once: bool = False, **answers: Sequence[Any]) -> Ending:
    """Paid with cards of which the provider says this; `at_once`, the money is taken in the task that sells the seats."""
    named = {name.replace("_", " "): listed for name, listed in answers.items()}
    return partial(asked, verbs=["pay"] * len(words), answers={"authorise": words, **named}, at_once=at_once)


pays_at_once = partial(pays, at_once=True)


IN_GRACE = [Position(open=True, seconds_left=1.0), ENDED]
ATTEMPTS = [NextAttempt(refund_id=new_id()), NextAttempt(refund_id=new_id()), NextAttempt()]

ENDINGS: dict[str, Ending] = {
    "Booking/paid": pays(AUTHORISED),
    "Booking/paid_before_its_start": paid_before_its_start,
    "Booking/declined_then_paid": pays(DECLINED, AUTHORISED),
    "Booking/declined_then_expired": partial(asked, verbs=["pay"], answers={"authorise": [DECLINED]}, seconds=3),
    "Booking/unknown_then_paid": pays(UNKNOWN, find_out_authorise=[AUTHORISED]),
    "Booking/paid_at_once": pays_at_once(AUTHORISED),
    "Booking/paid_at_once_before_its_start": partial(paid_before_its_start, at_once=True),
    "Booking/declined_then_paid_at_once": pays_at_once(DECLINED, AUTHORISED),
    "Booking/capture_at_once_unknown": pays_at_once(AUTHORISED, capture=[UNKNOWN], find_out_capture=[CAPTURED]),
    "Booking/capture_at_once_refused": pays_at_once(AUTHORISED, capture=[REFUSED]),
    "Booking/capture_at_once_hindered": pays_at_once(AUTHORISED, capture=[Away(), CAPTURED]),
    "Booking/captured_by_itself": pays(UNKNOWN, find_out_authorise=[CAPTURED]),
    "Booking/capture_unknown": pays(AUTHORISED, capture=[UNKNOWN], find_out_capture=[CAPTURED]),
    "Booking/capture_refused": pays(AUTHORISED, capture=[REFUSED]),
    "Booking/late_and_let_go": pays(AUTHORISED, settle=[Settled(then="void")]),
    "Booking/late_and_let_go_with_a_note": pays_at_once(AUTHORISED, settle=[Settled(then="void")]),
    "Booking/late_and_refunded": pays(CAPTURED, settle=[Settled(then="refund", refund_id=new_id())]),
    "Booking/abandoned": partial(asked, verbs=[], seconds=0.5),
    "Booking/expired_after_the_grace": partial(asked, verbs=[], answers={"expire": IN_GRACE}, seconds=0.5),
    "Booking/released": partial(asked, verbs=["release"]),
    "Cancellation/refunded": given_up,
    "Cancellation/nothing_back": partial(given_up, answers={"execute": [Executed()]}),
    "Cancellation/refused_once": partial(
        given_up, answers={"send": [REFUSED, REFUNDED], "record refund": ATTEMPTS[1:]}
    ),
    "Cancellation/escalated": partial(given_up, answers={"send": [REFUSED], "record refund": ATTEMPTS}),
    "Cancellation/unknown_then_refunded": partial(given_up, answers={"send": [UNKNOWN]}),
}
