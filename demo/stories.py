"""The selling side: what becomes of each basket, told by one of several buyers who work at once."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from demo.caller import Json, Refusal
from demo.inputs import Basket
from demo.month import Month

CARD = "tok_ok"
EVERY_TWENTIETH = 20
GRACE = timedelta(seconds=15)
"""As the demo's instance has it: a payment in flight holds the seats so much longer."""
TRIES = 60


class Buyer:
    """Somebody at the web shop, with a picture of the free seats that is as old as the last look."""

    def __init__(self, month: Month, *, number: int) -> None:
        self.month = month
        self._chance = random.Random(number)
        self._boards: dict[str, list[str]] = {}

    def tell(self, basket: Basket) -> None:
        """All that becomes of a basket, as far as one need not wait for it. Raises Refusal where the API surprises."""
        STORIES[basket.story](self, basket)

    def reserve(self, basket: Basket, seats: list[str] | None = None) -> Json:
        """A booking of as many seats as wanted; whoever loses a race for a seat looks again and takes others."""
        for attempt in range(TRIES):
            wanted = seats or self._pick(basket)
            try:
                return self._booked(basket, wanted, key=f"basket {basket.number} {attempt}")
            except Refusal as refusal:
                if refusal.code != "seats_unavailable":
                    raise
                self._lose(basket)
                if seats:
                    self.month.shop.office.pause(1)
        raise TimeoutError(f"basket {basket.number} found no seats in {TRIES} tries")

    def pay(self, booking: Json, card: str) -> Json:
        """Paid, or Refusal with the reason why not."""
        return self.month.shop.does("/api/payments/process", _payment(booking, card), key=f"pay {booking['id']} {card}")

    def begin_to_pay(self, booking: Json, card: str) -> None:
        """A payment whose end nobody waits for."""
        body = _payment(booking, card)
        self.month.shop.begins("/api/payments/process", body, key=f"pay {booking['id']} {card}")

    def fails_to_pay(self, booking: Json, basket: Basket, *, code: str) -> None:
        """A payment that must be refused for this reason."""
        try:
            self.pay(booking, basket.card)
        except Refusal as refusal:
            self.month.checks.expect(f"{basket.number} with {basket.card}", refusal.code, wanted=code)
        else:
            self.month.checks.expect(f"{basket.number} with {basket.card}", "paid", wanted=code)

    def _booked(self, basket: Basket, seats: list[str], *, key: str) -> Json:
        month = self.month
        body = {
            "customer_id": month.customers[basket.customer],
            "event_id": month.events[basket.event],
            "seats": seats,
        }
        booking: Json = month.shop.post("/api/bookings", body, key=key)
        if int(basket.number[1:]) % EVERY_TWENTIETH == 0:
            again = month.shop.post("/api/bookings", body, key=key)
            month.checks.expect(f"{basket.number} sent twice", again["id"], wanted=booking["id"])
        with month.lock:
            month.bookings[basket.number] = booking
        return booking

    def _pick(self, basket: Basket) -> list[str]:
        """Seats side by side, as far as this buyer can see."""
        board = self._boards.get(basket.event, [])
        if len(board) < basket.seats:
            board = self._boards[basket.event] = free_seats(self.month, basket.event)
        first = self._chance.randrange(max(len(board) - basket.seats, 0) + 1)
        picked = board[first : first + basket.seats]
        del board[first : first + basket.seats]
        return picked

    def _lose(self, basket: Basket) -> None:
        """An old picture is worth nothing: what else it shows may be gone as well."""
        self._boards.pop(basket.event, None)
        with self.month.lock:
            self.month.lost_races += 1


def free_seats(month: Month, event: str) -> list[str]:
    """Owned seats that somebody may take now, in the hall's order, without those kept aside."""
    kept = {seat for seats in month.aside.values() for seat in seats}
    path = f"/api/inventory/events/{month.events[event]}/seats"
    found = month.shop.everything(path, ownership_status="OWNED", status="AVAILABLE")
    return [seat["event_seat_id"] for seat in found if seat["event_seat_id"] not in kept]


def keep_aside(month: Month) -> None:
    """The last seats of a hall are for those whose money comes late, so that nobody happens to take them."""
    for basket in month.inputs.baskets:
        if basket.story in ("late", "late_taken"):
            month.aside[basket.number] = free_seats(month, basket.event)[-basket.seats :]


def _payment(booking: Json, card: str) -> Json:
    return {"booking_id": booking["id"], "provider": "simulated", "method": "CREDIT_CARD", "token": card}


def _pays(buyer: Buyer, basket: Basket) -> None:
    buyer.pay(buyer.reserve(basket), basket.card)


def _pays_with_another_card(buyer: Buyer, basket: Basket) -> None:
    booking = buyer.reserve(basket)
    buyer.fails_to_pay(booking, basket, code="card_declined")
    buyer.pay(booking, CARD)


def _has_no_money(buyer: Buyer, basket: Basket) -> None:
    buyer.fails_to_pay(buyer.reserve(basket), basket, code="insufficient_funds")


def _walks_away(buyer: Buyer, basket: Basket) -> None:
    buyer.reserve(basket)


def _lets_go(buyer: Buyer, basket: Basket) -> None:
    booking = buyer.reserve(basket)
    buyer.month.shop.does(f"/api/bookings/{booking['id']}", key=f"release {basket.number}", method="DELETE")


def _fails_at_the_provider(buyer: Buyer, basket: Basket) -> None:
    buyer.fails_to_pay(buyer.reserve(basket), basket, code="payment_failed")


def _loses_the_sale(buyer: Buyer, basket: Basket) -> None:
    """Authorised and sold, then the money is finally refused: the sale is taken back."""
    buyer.fails_to_pay(buyer.reserve(basket), basket, code="capture_refused")


def _pays_late(buyer: Buyer, basket: Basket) -> None:
    booking = buyer.reserve(basket, buyer.month.aside[basket.number])
    buyer.begin_to_pay(booking, basket.card)


def _takes_over(buyer: Buyer, basket: Basket) -> None:
    """Waits for another's time to be over, and takes the very seats."""
    lost = buyer.month.bookings[basket.takes_over]
    free_at = datetime.fromisoformat(lost["reserved_until"]) + GRACE
    buyer.month.shop.office.pause((free_at - datetime.now(UTC)).total_seconds() + 0.5)
    booking = buyer.reserve(basket, buyer.month.aside[basket.takes_over])
    buyer.pay(booking, basket.card)


def _gives_some_back(buyer: Buyer, basket: Basket) -> None:
    """All but one ticket go back, at exactly the numbers of the quote."""
    booking = buyer.reserve(basket)
    buyer.pay(booking, basket.card)
    path = f"/api/bookings/{booking['id']}/tickets/cancel"
    body = {"ticket_ids": [ticket["id"] for ticket in booking["tickets"][1:]], "reason": "CUSTOMER_REQUEST"}
    quote = buyer.month.shop.preview(path, body)
    buyer.month.shop.does(path, {**body, "quote_id": quote["quote_id"]}, key=f"cancel {basket.number}")
    summary = buyer.month.shop.get(f"/api/bookings/{booking['id']}/summary")
    buyer.month.checks.expect(f"{basket.number}: refunded", summary["refunded"], wanted=quote["refund_total"])


def _gives_all_back(buyer: Buyer, basket: Basket) -> None:
    booking = buyer.reserve(basket)
    buyer.pay(booking, basket.card)
    path = f"/api/bookings/{booking['id']}"
    buyer.month.shop.begins(path, key=f"cancel {basket.number}", method="DELETE")


STORIES: Mapping[str, Callable[[Buyer, Basket], None]] = MappingProxyType(
    {
        "kept": _pays,
        "slow": _pays,
        "unknown_then_ok": _pays,
        "declined_then_ok": _pays_with_another_card,
        "no_funds": _has_no_money,
        "abandoned": _walks_away,
        "released": _lets_go,
        "unknown_then_failed": _fails_at_the_provider,
        "capture_fails": _loses_the_sale,
        "late": _pays_late,
        "late_taken": _pays_late,
        "takes_over": _takes_over,
        "cancelled_in_part": _gives_some_back,
        "cancelled_in_full": _gives_all_back,
        "refund_fails_once": _gives_all_back,
    }
)

PAID = ("CONFIRMED", "COMPLETED", None)
EXPIRED = ("CANCELLED", None, "EXPIRED")
ENDS: Mapping[str, tuple[str | None, str | None, str | None]] = MappingProxyType(
    {
        "kept": PAID,
        "slow": PAID,
        "unknown_then_ok": PAID,
        "declined_then_ok": PAID,
        "late": PAID,
        "takes_over": PAID,
        "no_funds": EXPIRED,
        "abandoned": EXPIRED,
        "unknown_then_failed": EXPIRED,
        "released": ("CANCELLED", None, "CUSTOMER_REQUEST"),
        "capture_fails": ("CANCELLED", None, "PAYMENT_FAILED"),
        "late_taken": (None, "REFUNDED", None),
        "cancelled_in_part": ("CONFIRMED", "PARTIALLY_REFUNDED", None),
        "cancelled_in_full": ("REFUNDED", "PARTIALLY_REFUNDED", "CUSTOMER_REQUEST"),
        "refund_fails_once": ("REFUNDED", "PARTIALLY_REFUNDED", "CUSTOMER_REQUEST"),
    }
)
"""How each story ends: booking, payment, reason; None where the contract leaves it open."""
