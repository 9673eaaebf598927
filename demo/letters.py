"""The letters of the month: one per thing that happened, none twice, counted in the mail sink's folder."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from demo.books import Lists
from demo.month import Month

QUIET, PATIENCE = 75.0, 420.0
"""Seconds without a new letter, and in all, after which the rest is left on its way: 400 bookings within a minute are
400 ticket files to print, and a busy machine takes its time. Whether the queue moves is the oracle's question.
"""
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
    """Waits for the post and compares it with what happened; how many letters there are.

    A letter that is still on its way is said and forgiven; one too many, or one sent twice, is not.
    """
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
        if found[kind] < wanted[kind]:
            month.screen.tell(f"{wanted[kind] - found[kind]} letters about {words} are still on their way")
        else:
            month.checks.same(f"Letters about {words}", what_happened=wanted[kind], sent=found[kind])
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
    """Until as many are there, or no more come."""
    began = last = time.monotonic()
    seen = 0
    with month.screen.steps("letters", wanted) as steps:
        while seen < wanted and time.monotonic() < min(began + PATIENCE, last + QUIET):
            for _ in range(seen, min(count(), wanted)):
                steps.advance()
                seen, last = seen + 1, time.monotonic()
            month.shop.office.pause(0 if seen == wanted else 1)
