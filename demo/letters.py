"""The letters of the month: one per thing that happened, none twice, counted in the mail sink's folder."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from demo.books import Lists
from demo.month import Month

PATIENCE = 90.0
"""Seconds without a new letter after which no more will come."""
KINDS = {
    "Purchase order": "orders sent to suppliers",
    "Delivery receipt": "receipts to buyer and supplier",
    "Your tickets": "bookings confirmed",
    "Cancelled": "cancellations",
    "Payment failed": "captures refused",
    "Your payment": "late payments sent back",
}
"""How a subject begins, and what the letter tells."""


def check_letters(month: Month, lists: Lists, folder: Path) -> int:
    """Waits for the post and compares it with what happened; how many letters there are."""
    stories = Counter(basket.story for basket in month.inputs.baskets)
    wanted = {
        "Purchase order": len(lists.orders),
        "Delivery receipt": 2 * len(lists.receipts),
        "Your tickets": len(lists.sold),
        "Cancelled": stories["cancelled_in_part"] + stories["cancelled_in_full"] + stories["refund_fails_once"],
        "Payment failed": stories["capture_fails"],
        "Your payment": stories["late_taken"],
    }
    _wait(month, sum(wanted.values()), lambda: len(list(folder.glob("*.eml"))))
    found, ids = read_letters(folder)
    for kind, words in KINDS.items():
        month.checks.same(f"Letters about {words}", wanted=wanted[kind], sent=found[kind])
    month.checks.expect("letters sent twice", found.total() - len(ids), wanted=0)
    month.checks.expect("letters nobody expected", set(found) - set(wanted), wanted=set())
    return found.total()


def read_letters(folder: Path) -> tuple[Counter[str], set[str]]:
    """How many of each kind, and their ids."""
    found: Counter[str] = Counter()
    ids = set()
    for file in folder.glob("*.eml"):
        letter = message_from_bytes(file.read_bytes(), policy=default)
        found[_kind(str(letter["Subject"]), KINDS)] += 1
        ids.add(str(letter["Message-ID"]))
    return found, ids


def _kind(subject: str, kinds: Mapping[str, str]) -> str:
    return next((kind for kind in kinds if subject.startswith(kind)), subject)


def _wait(month: Month, wanted: int, count: Callable[[], int]) -> None:
    """Until as many are there, or none came for a while."""
    seen, since = -1, time.monotonic()
    while (number := count()) < wanted and time.monotonic() - since < PATIENCE:
        if number > seen:
            month.screen.say(f"{number} of {wanted} letters are on their way")
            seen, since = number, time.monotonic()
        month.shop.office.pause(4)
