"""Several buyers at once: customers come in, baskets are handed out, and the demo waits until all of them have ended."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from demo import buying
from demo.books import amount
from demo.caller import Json, Refusal
from demo.inputs import Basket
from demo.month import Month
from demo.screen import Steps
from demo.stories import ENDS, Buyer, keep_aside

BUYERS = 8
PATIENCE = 150.0
"""Seconds for the last basket, or the matinee's stock, to come to its end once everything has been asked for."""
LATE = ("late", "late_taken")

Queue = deque[tuple[int, Basket]]


def meet_customers(month: Month) -> None:
    """All of them, by several clerks."""

    def meet(customer: Json) -> str:
        made = month.boxoffice.post("/api/customers", customer, key=f"customer {customer['email']}")
        steps.advance()
        return str(made["id"])

    everybody = month.inputs.customers
    with ThreadPoolExecutor(BUYERS) as pool, month.screen.steps("customers", len(everybody)) as steps:
        ids = list(pool.map(meet, everybody))
    month.customers.update(zip((one["email"] for one in everybody), ids, strict=True))


def sell(month: Month) -> None:
    """Every basket, by several buyers at once; those who want what others lose wait on the side."""
    keep_aside(month)
    baskets = month.inputs.baskets
    over = {event.key for event in month.inputs.events if event.over_after_sales}
    first = [one for one in baskets if one.story in LATE]
    takers = [one for one in baskets if one.story == "takes_over"]
    matinee = [one for one in baskets if one.event in over]
    rest = [one for one in baskets if one not in first and one not in takers and one not in matinee]
    with month.screen.steps("baskets", len(baskets)) as steps, ThreadPoolExecutor(len(takers)) as side:
        _hand_out(month, first, steps)
        waiting = [side.submit(_work, month, Queue([(100 + n, one)]), steps) for n, one in enumerate(takers)]
        _hand_out(month, matinee, steps)
        buying.end_events(month)
        _hand_out(month, rest, steps)
        for future in waiting:
            future.result()


def await_ends(month: Month) -> None:
    """Until every booking has ended as its story says, or time is over; then each that has not is a failed check."""
    deadline = time.monotonic() + PATIENCE
    while (open_ones := _not_ended(month)) and time.monotonic() < deadline:
        stories = Counter(basket.story for basket, _ in open_ones)
        month.screen.say("waiting for " + ", ".join(f"{number} {story}" for story, number in stories.items()))
        month.shop.office.pause(4)
    for basket, found in open_ones:
        month.checks.expect(f"{basket.number} ({basket.story})", found, wanted=ENDS[basket.story])
    _tell_stories(month)
    ended = len(month.inputs.baskets) - len(open_ones)
    month.checks.same("Baskets that ended as they should", files=len(month.inputs.baskets), bookings=ended)


def await_write_off(month: Month) -> None:
    """Upkeep looks every minute; an event that is over keeps no stock."""
    deadline = time.monotonic() + PATIENCE
    over = {month.events[event.key] for event in month.inputs.events if event.over_after_sales}
    while stock := _stock(month, over):
        if time.monotonic() > deadline:
            month.checks.expect("seats in stock of an event that is over", stock, wanted=0)
            return
        month.screen.say(f"waiting for upkeep to write {stock} seats off")
        month.shop.office.pause(4)


def _tell_stories(month: Month) -> None:
    """How many baskets went which way, and how that ends."""
    counted = Counter(basket.story for basket in month.inputs.baskets)
    rows = [
        (story.replace("_", " "), number, " / ".join(word for word in ENDS[story] if word))
        for story, number in counted.most_common()
    ]
    month.screen.table("What became of the baskets", ("story", "baskets", "booking / payment / reason"), rows)


def _hand_out(month: Month, baskets: Sequence[Basket], steps: Steps) -> None:
    queue = Queue(enumerate(baskets))
    with ThreadPoolExecutor(BUYERS) as pool:
        for future in [pool.submit(_work, month, queue, steps) for _ in range(BUYERS)]:
            future.result()


def _work(month: Month, queue: Queue, steps: Steps) -> None:
    """One buyer's day: basket after basket until none is left; a surprise is noted, and the next one served."""
    buyer: Buyer | None = None
    while queue:
        try:
            number, basket = queue.popleft()
        except IndexError:
            return
        buyer = buyer or Buyer(month, number=number)
        try:
            buyer.tell(basket)
        except (Refusal, TimeoutError) as surprise:
            month.checks.expect(f"{basket.number} ({basket.story})", str(surprise), wanted="no surprise")
        steps.advance()


def _not_ended(month: Month) -> list[tuple[Basket, tuple[object, ...]]]:
    """The baskets whose bookings are not (yet) what their stories say, and what they are."""
    bookings = {one["id"]: one for one in month.boxoffice.everything("/api/bookings")}
    found = []
    for basket in month.inputs.baskets:
        booking = bookings.get(month.bookings.get(basket.number, {}).get("id"), {})
        state = tuple(booking.get(name) for name in ("status", "payment_status", "cancellation_reason"))
        refunds_open = booking and basket.story in ("late_taken", "cancelled_in_full", "refund_fails_once")
        if not _is(state, ENDS[basket.story]) or (refunds_open and _refunds_pending(month, booking["id"])):
            found.append((basket, state))
    return found


def _is(state: tuple[object, ...], end: tuple[object, ...]) -> bool:
    """None in an end stands for anything."""
    return all(wanted is None or wanted == one for one, wanted in zip(state, end, strict=True))


def _refunds_pending(month: Month, booking_id: str) -> bool:
    summary = month.boxoffice.get(f"/api/bookings/{booking_id}/summary")
    return bool(amount(summary["refunds_pending"]) > 0)


def _stock(month: Month, over: set[str]) -> int:
    rows = month.finance.get("/api/sales/reports/profit")["rows"]
    return sum(row["unsold_seats"] for row in rows if row["key"] in over)
