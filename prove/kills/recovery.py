"""Recovery: how long after its death a victim's work is done again, as somebody outside sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import httpx2

from demo.caller import Json, Refusal
from prove.kills.callers import LONGEST_CALL
from prove.kills.desk import Desk
from prove.kills.house import HEALS_WITHIN, House, NotHealed

LIMITS = {"api": 5.0, "worker": 20.0, "postgres": 10.0, "temporal": 30.0, "node": 30.0}
"""Seconds within which each must be back (the provider is somebody else's: no figure is asked of it)."""
MEANINGS = {
    "api": "kill to its first good answer",
    "worker": "kill to the end of the process that was struck",
    "postgres": "kill to the first good booking",
    "temporal": "kill to the end of the first new process",
    "provider": "kill to its first good answer",
    "node": "kill to all green",
}
BETWEEN = 0.05


def first_good_answer(desk: Desk, api: int) -> None:
    """Until that API answers a question of business."""
    one = desk.callers[api]

    def asked() -> bool:
        return one.http.get("/api/bookings", params={"limit": 1}, headers=one.headers, timeout=2.0).is_success

    _until(asked)


def first_booking(desk: Desk, spare: Callable[[str], None]) -> None:
    """Until a basket is made; it is let go again, and its process is held nowhere."""
    body = {"customer_id": desk.customer_id, "event_id": desk.event_id, "seats": desk.take_seats(1)}
    made: Json = {}

    def reserved() -> bool:
        headers = {**desk.caller.headers, "Idempotency-Key": key}
        answer = desk.caller.http.post("/api/bookings", json=body, headers=headers, timeout=LONGEST_CALL)
        if answer.is_success:
            made.update(answer.json())
        return answer.is_success

    key = desk.agency.named("probe")
    _until(reserved)
    _let_go(desk, made, spare)


def first_process(desk: Desk, spare: Callable[[str], None]) -> None:
    """Until a process that is begun now has ended: a basket let go, and held nowhere on its way."""
    desk.ended(_let_go(desk, desk.reserve(), spare), seconds=HEALS_WITHIN)


def _let_go(desk: Desk, booking: Json, spare: Callable[[str], None]) -> Json:
    spare(f"booking/{booking['id']}")
    return desk.begin_cancel(booking)


def provider_answers(house: House) -> None:
    """Until the provider answers."""
    url = house.stand.addresses.provider_url
    _until(lambda: httpx2.get(f"{url}/healthz", timeout=2.0, trust_env=False).is_success)


def _until(good: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HEALS_WITHIN
    while True:
        with suppress(httpx2.TransportError, Refusal):
            if good():
                return
        if time.monotonic() > deadline:
            raise NotHealed(f"no good answer within {HEALS_WITHIN:.0f} s")
        time.sleep(BETWEEN)
