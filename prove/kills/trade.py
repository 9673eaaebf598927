"""Trade: a steady rate of sales, cancellations, orders, deliveries and payments at every API, whatever dies meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo.caller import Json, Refusal
from prove.kills.desk import Desk, Wrong

# Every way in which the simulated provider can answer, the plain one as often as all the others together.
TOKENS = (
    *("tok_ok",) * 9,
    "tok_declined",
    "tok_insufficient_funds",
    "tok_slow_800",
    "tok_unknown_then_ok",
    "tok_unknown_then_failed",
    "tok_late_4000",
    "tok_capture_fails",
    "tok_refund_fails_once",
    "tok_capture_unknown_then_ok",
    "tok_refund_unknown_then_ok",
)
BREATH = 4.0
"""A trader rests at least so many times as long as it worked."""
KEPT = 40
"""Bookings a trader remembers, to cancel some of them later."""


@dataclass
class Trader:
    """Somebody at a desk who never waits for an operation to end; a refusal is part of trade, a fault is not."""

    desk: Desk
    chance: random.Random
    acts: int = 0
    _sold: list[Json] = field(default_factory=list)
    _orders: list[tuple[Json, str]] = field(default_factory=list)

    def act(self) -> None:
        """One thing that agencies do all day."""
        self.acts += 1
        self.desk.speak_to(self.chance.randrange(len(self.desk.callers)))
        deeds: Sequence[Callable[[], None]] = (self._sell, self._abandon, self._give_back, self._buy)
        try:
            self.chance.choices(deeds, weights=(6, 1, 2, 2))[0]()
        except (Refusal, Wrong):
            return

    def _sell(self) -> None:
        booking = self.desk.reserve(count=self.chance.randint(1, 3))
        self.desk.begin_payment(booking, self.chance.choice(TOKENS))
        self._sold = [*self._sold[-KEPT:], booking]

    def _abandon(self) -> None:
        self.desk.reserve()

    def _give_back(self) -> None:
        if self._sold:
            booking = self._sold.pop(self.chance.randrange(len(self._sold)))
            whole = self.chance.random() < 0.5
            self.desk.begin_cancel(booking) if whole else self.desk.begin_partial_cancel(booking)

    def _buy(self) -> None:
        """The next step of the oldest order, or a new order."""
        order, stage = self._orders.pop(0) if len(self._orders) > 2 else (self.desk.order(quantity=3), "submit")
        match stage:
            case "submit" | "confirm":
                self.desk.begin_on(order, stage)
            case "receive":
                self.desk.begin_receive(order, quantity=2)
            case "pay":
                self.desk.begin_pay_supplier(order)
            case _:
                self.desk.begin_on(order, "cancel", {"reason": "sold out"})
        following = {"submit": "confirm", "confirm": "receive", "receive": "pay", "pay": "cancel"}.get(stage)
        if following:
            self._orders.append((order, following))


@contextmanager
def trading(desks: Sequence[Desk], *, rate: float, seed: int) -> Iterator[list[Trader]]:
    """Trade at so many acts a second over all desks for as long as the block lasts."""
    stop = threading.Event()
    traders = [Trader(desk, random.Random(f"{seed}/{number}")) for number, desk in enumerate(desks)]
    pause = len(desks) / rate if desks else 0.0
    threads = [threading.Thread(target=_trade, args=(one, pause, stop), daemon=True) for one in traders]
    for thread in threads:
        thread.start()
    try:
        yield traders
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)


def _trade(trader: Trader, pause: float, stop: threading.Event) -> None:
    """On a machine that is slow the pauses grow, so that trade leaves most of it to what is proved."""
    wait = pause
    while not stop.wait(wait):
        began = time.monotonic()
        trader.act()
        took = time.monotonic() - began
        wait = max(pause - took, took * BREATH)
