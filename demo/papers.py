"""Every document of the month, fetched as a client would and left in out/."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from demo.books import Lists, Reports
from demo.caller import Caller, Json
from demo.month import Month

FETCHERS = 4
SOME = 6
"""So many bookings' tickets are printed; all of them would be paper for its own sake."""
STARTS = {".pdf": b"%PDF-", ".xlsx": b"PK\x03\x04"}
FOLDERS = ("orders", "receipts", "tickets", "reports")


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
    """The largest bookings for events to come as one file each, and one single ticket."""
    confirmed = [one for one in lists.sold if one["status"] == "CONFIRMED" and one["event_id"] not in lists.over]
    largest = sorted(confirmed, key=lambda one: (-one["ticket_count"], one["booking_number"]))[:SOME]
    folder, seller = out / "tickets", month.boxoffice
    whole = [
        Paper(seller, f"/api/bookings/{one['id']}/tickets.pdf", {}, folder / f"{one['booking_number']}.pdf")
        for one in largest
    ]
    single = _first_ticket(largest[0])
    return [
        *whole,
        Paper(seller, f"/api/tickets/{single['id']}/download", {}, folder / f"{single['ticket_number']}.pdf"),
    ]


def _first_ticket(booking: Json) -> Json:
    return next(ticket for ticket in booking["tickets"] if ticket["status"] == "CONFIRMED")


def _reports(month: Month, reports: Reports, out: Path) -> list[Paper]:
    wanted = {
        "profit": ("/api/sales/reports/profit", ("pdf", "xlsx", "csv")),
        "profit-by-supplier": ("/api/sales/reports/profit", ("pdf", "csv")),
        "valuation": ("/api/inventory/reports/value", ("pdf",)),
        "trial-balance": ("/api/ledger/trial-balance", ("csv",)),
    }
    return [
        Paper(month.finance, path, _parameters(name, form, reports), out / "reports" / f"{name}.{form}")
        for name, (path, forms) in wanted.items()
        for form in forms
    ]


def _parameters(name: str, form: str, reports: Reports) -> dict[str, str]:
    asked = {"format": form, "as_of": reports.as_of}
    return {**asked, "group_by": "supplier"} if name == "profit-by-supplier" else asked
