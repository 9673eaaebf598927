"""Scenes: for each step, what somebody does at a desk so that a process surely comes to it, and how that must end."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from demo.caller import Json, Refusal
from prove.kills.desk import ENDS_WITHIN, OUTAGE, Desk, Missed, Wrong

Ending = Callable[[], None]
"""Waits for the end of what was begun. Raises Wrong when it is another than it must be."""
Act = Callable[[], Ending]
"""Begins it."""


def told(begun: Future[Ending]) -> str | None:
    """How it ended: None, or what went wrong. Raises Missed."""
    try:
        begun.result()()
    except Missed:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it was, the scene did not end as it must
        return f"{type(error).__name__}: {error}"
    return None


LATE_WINDOW, LATE_HOLD = "PT2S", 3.2
"""A basket of two seconds, with the house's grace of one, is surely free to others after this."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`prepare` is done in peace; what it returns is done when all is armed; `lead` seconds later the step is there."""

    prepare: Callable[[Desk], Act]
    lead: float = 0.5


def _pays(token: str, how: str = "succeeded") -> Callable[[Desk], Act]:
    def prepare(desk: Desk) -> Act:
        booking = desk.reserve()

        def act() -> Ending:
            operation = desk.begin_payment(booking, token)
            return lambda: _ends(desk, operation, how)

        return act

    return prepare


def _releases(desk: Desk) -> Act:
    booking = desk.reserve()

    def act() -> Ending:
        operation = desk.begin_cancel(booking)
        return lambda: _ends(desk, operation)

    return act


def _abandons(desk: Desk) -> Act:
    desk.window(LATE_WINDOW)

    def act() -> Ending:
        booking = desk.reserve()
        desk.window("PT15M")
        path = f"/api/bookings/{booking['id']}"
        return lambda: desk.until(path, status="CANCELLED", cancellation_reason="EXPIRED")

    return act


def _pays_late(token: str) -> Callable[[Desk], Act]:
    """The hold ends while the provider keeps silent, and somebody else buys the seat."""

    def prepare(desk: Desk) -> Act:
        seats = desk.take_seats(1)
        desk.window(LATE_WINDOW)

        def act() -> Ending:
            booking = desk.reserve(seats=seats)
            began = time.monotonic()
            try:
                operation = desk.begin_payment(booking, token)
            except Refusal as refused:
                raise Missed("the basket was over before it could be paid for") from refused
            desk.window("PT15M")
            time.sleep(max(LATE_HOLD - (time.monotonic() - began), 0))
            bought = desk.begin_payment(_reserve_again(desk, seats), "tok_ok")

            def ending() -> None:
                _ends(desk, operation, "reservation_expired")
                _ends(desk, bought)

            return ending

        return act

    return prepare


def _reserve_again(desk: Desk, seats: list[str]) -> Json:
    """The clock of the database decides, and it may be a moment behind. Raises Missed when the late money was not late."""
    for _ in range(20):
        try:
            return desk.reserve(seats=seats)
        except Refusal as refused:
            if refused.code != "seats_unavailable":
                raise
            time.sleep(0.25)
    raise Missed("the late money came first")


def _cancels(token: str, *, whole: bool = True) -> Callable[[Desk], Act]:
    def prepare(desk: Desk) -> Act:
        booking = desk.paid(token, count=2)

        def act() -> Ending:
            operation = desk.begin_cancel(booking) if whole else desk.begin_partial_cancel(booking)
            return lambda: _ends(desk, operation)

        return act

    return prepare


def _prints(desk: Desk) -> Act:
    booking = desk.paid()
    path = f"/api/tickets/{booking['tickets'][0]['id']}/download"

    def act() -> Ending:
        # Whoever asks is kept waiting while it is made.
        asked = ThreadPoolExecutor(1).submit(desk.caller.file, path)

        def ending() -> None:
            if not asked.result(ENDS_WITHIN + OUTAGE).startswith(b"%PDF"):
                raise Wrong("a ticket is no PDF")

        return ending

    return act


def _orders(verb: str, *, after: tuple[str, ...] = ()) -> Callable[[Desk], Act]:
    body = {"reason": "no longer needed"} if verb == "cancel" else None

    def prepare(desk: Desk) -> Act:
        order = desk.order(verbs=after)

        def act() -> Ending:
            operation = desk.begin_on(order, verb, body)
            return lambda: _ends(desk, operation)

        return act

    return prepare


def _waits_for_supplier(*, reminder: str, lapse: str) -> Callable[[Desk], Act]:
    """The order's process begun again with times that pass."""

    def prepare(desk: Desk) -> Act:
        order = desk.order(verbs=("submit",))
        argument = {
            "tenant_id": desk.tenant_id,
            "order_id": order["id"],
            "reminder_after": reminder,
            "lapse_after": lapse,
        }

        def act() -> Ending:
            desk.engine.begin_again(argument)
            return lambda: desk.until(f"/api/purchase-orders/{order['id']}", status="CANCELLED")

        return act

    return prepare


def _receives(desk: Desk) -> Act:
    order = desk.order(verbs=("submit", "confirm"))

    def act() -> Ending:
        operation = desk.begin_receive(order)
        return lambda: _ends(desk, operation)

    return act


def _pays_supplier(desk: Desk) -> Act:
    order = desk.order(verbs=("submit", "confirm"))
    desk.ended(desk.begin_receive(order))

    def act() -> Ending:
        operation = desk.begin_pay_supplier(order)
        return lambda: _ends(desk, operation)

    return act


def _closes(desk: Desk) -> Act:
    """An event that ends with a seat unsold."""
    event_id, _ = _ended_event(desk)

    def act() -> Ending:
        desk.engine.round(nightly=False)
        return lambda: desk.closed(event_id)

    return act


def _closes_again(desk: Desk) -> Act:
    """A seat that came when its event had been closed."""
    event_id, order = _ended_event(desk)
    desk.engine.round(nightly=False)
    desk.closed(event_id)
    desk.ended(desk.begin_receive(order))
    return _a_round(desk)


def _ended_event(desk: Desk) -> tuple[str, Json]:
    """An event that is over, and the order of which one seat of two has come."""
    event_id = desk.matinee(ends_in=3600)
    order = desk.order(event_id=event_id, verbs=("submit", "confirm"))
    desk.ended(desk.begin_receive(order))
    desk.matinee(ends_in=1.5, event_id=event_id)
    time.sleep(1.6)
    return event_id, order


def _forgets(desk: Desk) -> Act:
    """Keys that nobody may rely on any more."""
    with psycopg.connect(desk.owner_url) as connection:
        query = """UPDATE idempotency_keys SET created_at = now() - interval '2 days' WHERE (tenant_id, key) IN
                   (SELECT tenant_id, key FROM idempotency_keys WHERE tenant_id = %s ORDER BY created_at LIMIT 3)"""
        connection.execute(query, [desk.tenant_id])
    return _a_round(desk)


def _a_round(desk: Desk) -> Act:
    def act() -> Ending:
        desk.engine.round(nightly=True)
        return lambda: None

    return act


def _ends(desk: Desk, operation: Json, how: str = "succeeded") -> None:
    desk.ended(operation, how=how)


SOLD = Scene(prepare=_pays("tok_ok"), lead=0.5)
LET_GO = Scene(prepare=_pays_late("tok_unknown_then_ok"), lead=6.0)
LATE_AND_REFUNDED = Scene(prepare=_pays_late("tok_late_9000"), lead=11.5)

SCENES: dict[str, Scene] = {
    "Booking/booking.expire": Scene(prepare=_abandons, lead=3.3),
    "Booking/booking.release": Scene(prepare=_releases),
    "Booking/booking.settle": SOLD,
    "Booking/payments.authorise": SOLD,
    "Booking/payments.capture": SOLD,
    "Booking/payments.record_capture": SOLD,
    "Booking/payments.record_void": LET_GO,
    "Booking/payments.find_out": Scene(prepare=_pays("tok_unknown_then_ok"), lead=5.6),
    "Booking/payments.void": LET_GO,
    "Booking/refunds.submit": LATE_AND_REFUNDED,
    "Booking/refunds.send": LATE_AND_REFUNDED,
    "Booking/refunds.record": LATE_AND_REFUNDED,
    "Booking/refunds.find_out": Scene(prepare=_pays_late("tok_late_refund_unknown_9000"), lead=17.0),
    "Cancellation/cancelling.execute": Scene(prepare=_cancels("tok_ok", whole=False)),
    "Cancellation/refunds.submit": Scene(prepare=_cancels("tok_ok")),
    "Cancellation/refunds.send": Scene(prepare=_cancels("tok_ok")),
    "Cancellation/refunds.record": Scene(prepare=_cancels("tok_refund_fails_once")),
    "Cancellation/refunds.find_out": Scene(prepare=_cancels("tok_refund_unknown_then_ok"), lead=5.6),
    "Document/documents.render": Scene(prepare=_prints),
    "Papers/documents.render_each": Scene(prepare=_pays("tok_ok"), lead=2.0),
    "PurchaseOrder/purchasing.position": Scene(prepare=_orders("submit")),
    "PurchaseOrder/purchasing.submit": Scene(prepare=_orders("submit")),
    "PurchaseOrder/purchasing.confirm": Scene(prepare=_orders("confirm", after=("submit",))),
    "PurchaseOrder/purchasing.cancel": Scene(prepare=_orders("cancel", after=("submit", "confirm"))),
    "PurchaseOrder/purchasing.remind": Scene(prepare=_waits_for_supplier(reminder="PT3S", lapse="PT25S"), lead=3.0),
    "PurchaseOrder/purchasing.lapse": Scene(prepare=_waits_for_supplier(reminder="PT1H", lapse="PT1S")),
    "SupplierPayment/payables.pay": Scene(prepare=_pays_supplier),
    "SupplierReceipt/receiving.record": Scene(prepare=_receives),
    "Upkeep/upkeep.close_ended_events": Scene(prepare=_closes),
    "Upkeep/upkeep.close_again": Scene(prepare=_closes_again),
    "Upkeep/upkeep.forget": Scene(prepare=_forgets),
}
