"""The documents of the month, fetched as a client would and left in out/: orders, receipts, tickets, every report."""

import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from demo.books import Lists, Reports
from demo.caller import Caller, Json
from demo.month import Month

FETCHERS = 4
FORMS = ("pdf", "xlsx", "csv", "json")
STARTS = {".pdf": b"%PDF-", ".xlsx": b"PK\x03\x04"}
FOLDERS = {
    "orders": "every purchase order",
    "receipts": "the receipt of every delivery",
    "tickets": "every booking's tickets for what is still to come, and one ticket alone",
    "reports": f"every report as {', '.join(FORMS)}",
}
"""What lies where."""
_GROUPED = {
    "profit": "/api/sales/reports/profit",
    "revenue": "/api/sales/reports/revenue",
    "valuation": "/api/inventory/reports/value",
}
REPORTS: dict[str, tuple[str, str | None]] = {
    **{
        f"{name}-by-{group_by}": (path, group_by)
        for name, path in _GROUPED.items()
        for group_by in ("event", "supplier", "section")
    },
    "trial-balance": ("/api/ledger/trial-balance", None),
}
"""Where each is asked for, and what makes a row where one may choose."""


class Paper(NamedTuple):
    """Where a document is asked for, and where it is put."""

    caller: Caller
    path: str
    params: dict[str, str]
    file: Path


def fetch(month: Month, reports: Reports, lists: Lists, *, out: Path) -> int:
    """All papers; how many there are. What an earlier demo left is removed first."""
    for name in FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    papers = [*_orders(month, lists, out), *_receipts(month, lists, out), *_tickets(month, lists, out)]
    papers += _reports(month, reports, out)
    with month.screen.steps("documents", len(papers)) as steps, ThreadPoolExecutor(FETCHERS) as pool:
        for good, paper in zip(pool.map(_saved(steps.advance), papers), papers, strict=True):
            month.checks.expect(f"{paper.file.name} is what it says", good, wanted=True)
    there = Counter(paper.file.parent.name for paper in papers)
    for name, words in FOLDERS.items():
        month.screen.tell(f"{out.name}/{name}: {words} ({there[name]} files)")
    return len(papers)


def _saved(advance: Callable[[], None]) -> Callable[[Paper], bool]:
    def save(paper: Paper) -> bool:
        content = paper.caller.file(paper.path, **paper.params)
        paper.file.write_bytes(content)
        advance()
        return content.startswith(STARTS.get(paper.file.suffix, b"")) and len(content) > 0

    return save


def _orders(month: Month, lists: Lists, out: Path) -> list[Paper]:
    return [
        Paper(month.buyer, f"/api/purchase-orders/{one['id']}/pdf", {}, out / "orders" / f"{one['po_number']}.pdf")
        for one in lists.orders
    ]


def _receipts(month: Month, lists: Lists, out: Path) -> list[Paper]:
    return [
        Paper(month.buyer, f"/api/receipts/{one['id']}/pdf", {}, out / "receipts" / f"{one['receipt_number']}.pdf")
        for one in lists.receipts
    ]


def _tickets(month: Month, lists: Lists, out: Path) -> list[Paper]:
    """The bookings for events to come as one file each, printed for their letters already, and one single ticket."""
    coming = [one for one in lists.sold if one["status"] == "CONFIRMED" and one["event_id"] not in lists.over]
    folder, seller = out / "tickets", month.boxoffice
    whole = [
        Paper(seller, f"/api/bookings/{one['id']}/tickets.pdf", {}, folder / f"{one['booking_number']}.pdf")
        for one in coming
    ]
    single = _first_ticket(max(coming, key=lambda one: int(one["ticket_count"])))
    return [
        *whole,
        Paper(seller, f"/api/tickets/{single['id']}/download", {}, folder / f"{single['ticket_number']}.pdf"),
    ]


def _first_ticket(booking: Json) -> Json:
    return next(ticket for ticket in booking["tickets"] if ticket["status"] == "CONFIRMED")


def _reports(month: Month, reports: Reports, out: Path) -> list[Paper]:
    return [
        Paper(month.finance, path, _parameters(form, group_by, reports), out / "reports" / f"{name}.{form}")
        for name, (path, group_by) in REPORTS.items()
        for form in FORMS
    ]


def _parameters(form: str, group_by: str | None, reports: Reports) -> dict[str, str]:
    asked = {"format": form, "as_of": reports.as_of}
    return asked if group_by is None else {**asked, "group_by": group_by}
