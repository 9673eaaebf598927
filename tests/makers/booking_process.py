"""A booking's and a cancellation's process on their own: steps that only remember, asked as the dispatcher asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.booking import BookingStep, Position, ReleaseStep, Settled, SettleStep
from activities.cancelling import CancellationStep, Executed
from activities.payments import CaptureStep, FindOutStep, PaymentStep
from activities.refunds import NextAttempt, RefundStep, RefundWord
from activities.words import Word
from db.ids import new_id
from gateways.payments import ProviderState
from gateways.temporal import Engine

T = TypeVar("T")

AUTHORISED = Word(state=ProviderState.AUTHORISED, reference="ch_1")
CAPTURED = Word(state=ProviderState.CAPTURED, reference="ch_1")
DECLINED = Word(state=ProviderState.DECLINED, reason="card_declined")
REFUNDED = Word(state=ProviderState.REFUNDED, reference="ch_1")
REFUSED = Word(state=ProviderState.REFUSED, reason="refused")
UNKNOWN = Word(state=ProviderState.UNKNOWN)
VOIDED = Word(state=ProviderState.VOIDED)

ENDED = Position(open=False, seconds_left=0)


class Away(ApplicationError):
    """A database or a provider that is away for a moment."""

    def __init__(self) -> None:
        super().__init__("away for a moment")


@dataclass
class Rehearsal:
    """Remembers what was asked, and answers what it was told to: the next of a list, or the last again and again.

    An exception in a list is raised. `told` holds what each step was asked with.
    """

    answers: dict[str, Sequence[Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    at: dict[str, float] = field(default_factory=dict)
    slow: float = 0.0

    def _answer(self, name: str, asked: Any, usual: T) -> T:
        count = self.calls.count(name)
        self.calls.append(name)
        self.told.append(asked)
        self.at[name] = time.monotonic()
        time.sleep(self.slow)
        listed = self.answers.get(name, (usual,))
        answer: T | Exception = listed[min(count, len(listed) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @activity.defn(name="payments.authorise")
    def authorise(self, at: PaymentStep) -> Word:
        return self._answer("authorise", at, AUTHORISED)

    @activity.defn(name="payments.capture")
    def capture(self, at: PaymentStep) -> Word:
        return self._answer("capture", at, CAPTURED)

    @activity.defn(name="payments.void")
    def void(self, at: PaymentStep) -> Word:
        return self._answer("void", at, VOIDED)

    @activity.defn(name="payments.record_void")
    def record_void(self, at: PaymentStep) -> None:
        self._answer("record void", at, None)

    @activity.defn(name="payments.find_out")
    def find_out(self, at: FindOutStep) -> Word:
        return self._answer(f"find out {at.call}", at, AUTHORISED)

    @activity.defn(name="payments.record_capture")
    def record_capture(self, at: CaptureStep) -> bool:
        return self._answer("record capture", at, at.word.state == ProviderState.CAPTURED)

    @activity.defn(name="booking.settle")
    def settle(self, at: SettleStep) -> Settled:
        usual = {ProviderState.AUTHORISED: "capture", ProviderState.CAPTURED: "complete"}.get(at.word.state, "nothing")
        return self._answer("settle", at, Settled(then=usual, booking_open=usual == "nothing"))

    @activity.defn(name="booking.expire")
    def expire(self, at: BookingStep) -> Position:
        return self._answer("expire", at, ENDED)

    @activity.defn(name="booking.release")
    def release(self, at: ReleaseStep) -> Position:
        return self._answer("release", at, ENDED)

    @activity.defn(name="cancelling.execute")
    def execute(self, at: CancellationStep) -> Executed:
        return self._answer("execute", at, Executed(refund_id=at.cancellation_id))

    @activity.defn(name="refunds.submit")
    def submit(self, at: RefundStep) -> None:
        self._answer("submit", at, None)

    @activity.defn(name="refunds.send")
    def send(self, at: RefundStep) -> Word:
        return self._answer("send", at, REFUNDED)

    @activity.defn(name="refunds.find_out")
    def find_out_refund(self, at: RefundStep) -> Word:
        return self._answer("find out refund", at, REFUNDED)

    @activity.defn(name="refunds.record")
    def record(self, at: RefundWord) -> NextAttempt:
        return self._answer("record refund", at, NextAttempt())

    @property
    def steps(self) -> list[Callable[..., Any]]:
        """What a worker offers."""
        paying: list[Callable[..., Any]] = [self.authorise, self.capture, self.void, self.find_out]
        booking: list[Callable[..., Any]] = [self.settle, self.expire, self.release]
        giving_back: list[Callable[..., Any]] = [self.submit, self.send, self.find_out_refund, self.record]
        return [*paying, self.record_capture, self.record_void, *booking, self.execute, *giving_back]


@dataclass(frozen=True)
class Process:
    """One process, asked as the dispatcher asks."""

    engine: Engine
    client: Client
    name: str
    process_id: str
    argument: dict[str, Any]
    starts_at: datetime | None = None

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.process_id)

    async def start(self) -> None:
        """Deliver its START message."""
        await self.engine.start(self.name, process_id=self.process_id, argument=self.argument, starts_at=self.starts_at)

    async def bring(self, verb: str, operation_id: UUID | None = None) -> UUID:
        """Deliver an UPDATE message; returns once the process has taken it."""
        asked = operation_id or new_id()
        await self.engine.update(
            self.name,
            process_id=self.process_id,
            argument=self.argument,
            verb=verb,
            operation_id=asked,
            starts_at=self.starts_at,
        )
        return asked

    async def ask(self, verb: str) -> UUID:
        """The same, and wait for its handler's end."""
        operation_id = await self.bring(verb)
        await asyncio.wait_for(self.handle.get_update_handle(str(operation_id)).result(), 30)
        return operation_id

    async def ended(self, *, seconds: float = 30) -> int:
        """Wait for the end; how many events its history has."""
        await asyncio.wait_for(self.handle.result(), seconds)
        return len((await self.handle.fetch_history()).events)


def a_booking_process(engine: Engine, client: Client, *, seconds: float = 600, at_once: bool = True) -> Process:
    """The process of a new booking whose time is over in so many seconds; nothing is delivered yet.

    Without `at_once` it is told what it was told by releases that took the money in a step of its own.
    """
    booking_id, until = new_id(), datetime.now(UTC) + timedelta(seconds=seconds)
    argument = {
        "tenant_id": str(new_id()),
        "booking_id": str(booking_id),
        "reserved_until": until.isoformat(),
        **({"capture_at_once": True} if at_once else {}),
    }
    return Process(engine, client, "Booking", f"booking/{booking_id}", argument, until)


def a_cancellation_process(engine: Engine, client: Client) -> Process:
    """The process of a new cancellation; nothing is delivered yet."""
    operation_id = new_id()
    argument = {"tenant_id": str(new_id()), "cancellation_id": str(operation_id)}
    return Process(engine, client, "Cancellation", f"cancellation/{operation_id}", argument)
