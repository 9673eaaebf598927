"""The process of a booking (`booking/{id}`): wait for money or the end of the window; sell, or let go."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.booking import BookingActivities, BookingStep, ReleaseStep, Settled, SettleStep
    from activities.payments import CaptureStep, FindOutStep, PaymentActivities, PaymentStep
    from activities.words import Word
    from workflows.asking import Ask
    from workflows.options import PROVIDER_CALL, PROVIDER_LOCAL, QUICK_LOCAL, UNTIL_DECIDED
    from workflows.refunding import give_back

# The timer only wakes us; the database's clock decides, and may be a moment behind.
AT_LEAST = timedelta(seconds=0.2)
# Earlier releases let a promise go and left no note of it.
NOTES_VOIDS = "notes-voids"


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """What the process is told when it begins.

    Without `capture_at_once` it was begun by a release that took the money in a step of its own: it goes on like that.
    """

    tenant_id: UUID
    booking_id: UUID
    reserved_until: datetime
    capture_at_once: bool = False


@workflow.defn(name="Booking")
class BookingProcess:
    """Started with a delay of the whole window: an abandoned basket runs no code until it ends."""

    @workflow.init
    def __init__(self, reserved: Reserved) -> None:
        self._reserved = reserved
        self._ended = False
        self._busy = 0
        self._turn = asyncio.Lock()

    @workflow.run
    async def run(self, reserved: Reserved) -> None:
        """Until the booking has ended, one way or the other."""
        await asyncio.sleep(0)  # An Update that came with the first task goes first, and spares the timer.
        wakes_at = reserved.reserved_until
        while not self._ended:
            await workflow.wait_condition(lambda: self._ended or not self._busy)
            if not await self._woken_before(wakes_at):
                wakes_at = workflow.now() + await self._expire()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def pay(self, ask: Ask) -> None:
        """Authorise, sell, capture; a refused card leaves everything as it was."""
        self._busy += 1
        try:
            async with self._turn:
                await self._pay(ask.operation_id)
        finally:
            self._busy -= 1

    @workflow.update
    async def release(self, ask: Ask) -> None:
        """Let the unpaid booking go."""
        self._busy += 1
        try:
            async with self._turn:
                step = ReleaseStep(
                    tenant_id=self._reserved.tenant_id,
                    booking_id=self._reserved.booking_id,
                    operation_id=ask.operation_id,
                )
                stands = await workflow.execute_local_activity_method(BookingActivities.release, step, **QUICK_LOCAL)
                self._ended = not stands.open
        finally:
            self._busy -= 1

    async def _woken_before(self, moment: datetime) -> bool:
        """Whether somebody asked for something, or it ended, before that."""
        left = moment - workflow.now()
        if self._ended or left <= timedelta(0):
            return self._ended
        try:
            await workflow.wait_condition(lambda: self._ended or self._busy > 0, timeout=left)
        except TimeoutError:
            return False
        return True

    async def _expire(self) -> timedelta:
        """End the booking if its time is over; else what it still has, the payment grace included."""
        step = BookingStep(tenant_id=self._reserved.tenant_id, booking_id=self._reserved.booking_id)
        stands = await workflow.execute_local_activity_method(BookingActivities.expire, step, **QUICK_LOCAL)
        self._ended = not stands.open
        return max(timedelta(seconds=stands.seconds_left), AT_LEAST)

    async def _pay(self, payment_id: UUID) -> None:
        word = await self._call("authorise", payment_id)
        step = SettleStep(tenant_id=self._reserved.tenant_id, payment_id=payment_id, word=word)
        settled = await workflow.execute_local_activity_method(BookingActivities.settle, step, **QUICK_LOCAL)
        await self._then(settled, payment_id, word)
        self._ended = not settled.booking_open

    async def _then(self, settled: Settled, payment_id: UUID, word: Word) -> None:
        """What the sale, or its failure, still needs from the provider."""
        if settled.then == "capture":
            word = await self._capture(payment_id)
        if settled.then in ("capture", "complete"):
            taken = CaptureStep(tenant_id=self._reserved.tenant_id, payment_id=payment_id, word=word)
            await workflow.execute_local_activity_method(PaymentActivities.record_capture, taken, **QUICK_LOCAL)
        elif settled.then == "void":
            await self._void(payment_id)
        elif settled.then == "refund":
            await give_back(self._reserved.tenant_id, refund_id=settled.refund_id)

    def _step(self, payment_id: UUID) -> PaymentStep:
        return PaymentStep(tenant_id=self._reserved.tenant_id, payment_id=payment_id)

    async def _void(self, payment_id: UUID) -> None:
        """Let the promise go, and note that the provider has spoken on it."""
        await self._call("void", payment_id)
        if workflow.patched(NOTES_VOIDS):
            step = self._step(payment_id)
            await workflow.execute_local_activity_method(PaymentActivities.record_void, step, **QUICK_LOCAL)

    async def _capture(self, payment_id: UUID) -> Word:
        """Within the task that sold the seats; whatever hinders it there goes the patient way, under the same key."""
        if self._reserved.capture_at_once:
            step = self._step(payment_id)
            try:
                word = await workflow.execute_local_activity_method(PaymentActivities.capture, step, **PROVIDER_LOCAL)
            except FailureError as hindered:
                workflow.logger.info("taking the money needs patience", extra={"cause": str(hindered)})
            else:
                return await self._final("capture", payment_id, word)
        return await self._call("capture", payment_id)

    async def _call(self, name: str, payment_id: UUID) -> Word:
        """One provider call, as a step of its own."""
        step = self._step(payment_id)
        word: Word = await workflow.execute_activity(f"payments.{name}", step, result_type=Word, **PROVIDER_CALL)
        return await self._final(name, payment_id, word)

    async def _final(self, name: str, payment_id: UUID, word: Word) -> Word:
        """The word, or, where it is missing, what looking it up tells in the end."""
        if word.final:
            return word
        ask = FindOutStep(tenant_id=self._reserved.tenant_id, payment_id=payment_id, call=name)
        return await workflow.execute_activity_method(PaymentActivities.find_out, ask, **UNTIL_DECIDED)
