"""The demo leaves one paper of every kind and every report in every form in out/, and says what lies where."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

import pytest

from api import books
from demo import papers
from demo.books import Lists, Reports
from demo.caller import Caller, Json
from demo.inputs import load
from demo.month import Checks, Month
from demo.screen import Screen
from reports import kinds

AS_OF = "2026-11-20T12:00:00Z"


class Counterpart:
    """An API that gives some content for whatever paper it is asked for."""

    def __init__(self, *, content: bytes = b"") -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._content = content
        self._lock = threading.Lock()

    def file(self, path: str, **params: str) -> bytes:
        with self._lock:
            self.asked.append((path, params))
        return self._content or {"xlsx": b"PK\x03\x04", "csv": b"row", "json": b"{}"}.get(
            params.get("format", ""), b"%PDF-"
        )


def a_booking(number: int, *, event: str = "next week", status: str = "CONFIRMED", tickets: int = 1) -> Json:
    return {
        "id": f"b{number}",
        "booking_number": f"BK-{number}",
        "event_id": event,
        "status": status,
        "cancellation_reason": None,
        "ticket_count": tickets,
        "tickets": [
            {"id": f"t{number}", "ticket_number": f"TK-{number}", "status": "CANCELLED"},
            {"id": f"u{number}", "ticket_number": f"TK-{number}0", "status": "CONFIRMED"},
        ],
    }


LISTS = Lists(
    seats=[],
    over=frozenset({"last week"}),
    bookings=[
        *(a_booking(number, tickets=number % 5) for number in range(1, 21)),
        a_booking(98, event="last week"),
        a_booking(99, status="CANCELLED"),
    ],
    orders=[{"id": "o1", "po_number": "PO-1"}],
    receipts=[{"id": "r1", "receipt_number": "GRN-1"}],
    bills=[],
)


def a_month(counterpart: Counterpart) -> Month:
    screen, everybody = Screen(), cast(Caller, counterpart)
    return Month(
        inputs=load(),
        screen=screen,
        checks=Checks(screen),
        buyer=everybody,
        finance=everybody,
        boxoffice=everybody,
        shop=everybody,
        began=datetime.now(UTC),
    )


def fetched(month: Month, out: Path) -> int:
    return papers.fetch(month, Reports(as_of=AS_OF, trial_balance={}, profit={}, value={}), LISTS, out=out)


def names(out: Path, folder: str) -> list[str]:
    return sorted(file.name for file in (out / folder).iterdir())


def test_every_order_delivery_and_booking_to_come_has_its_paper(tmp_path: Path) -> None:
    month = a_month(Counterpart())

    number = fetched(month, tmp_path)

    assert names(tmp_path, "orders") == ["PO-1.pdf"]
    assert names(tmp_path, "receipts") == ["GRN-1.pdf"]
    assert names(tmp_path, "tickets") == sorted([*(f"BK-{number}.pdf" for number in range(1, 21)), "TK-40.pdf"])
    assert number == len(list(tmp_path.rglob("*.*")))
    assert month.checks.failed == []


def test_every_report_is_there_in_every_form(tmp_path: Path) -> None:
    counterpart = Counterpart()

    fetched(a_month(counterpart), tmp_path)

    assert names(tmp_path, "reports") == sorted(f"{name}.{form}" for name in papers.REPORTS for form in papers.FORMS)
    assert set(papers.FORMS) == set(get_args(books.Forms))
    asked = [params for path, params in counterpart.asked if path == "/api/sales/reports/revenue"]
    assert {params["group_by"] for params in asked} == {"event", "supplier", "section"}
    assert {params["as_of"] for params in asked} == {AS_OF}


def test_every_kind_of_document_is_among_them(tmp_path: Path) -> None:
    counterpart = Counterpart()

    fetched(a_month(counterpart), tmp_path)

    asked = " ".join(path for path, _ in counterpart.asked)
    words = {
        "purchase_order": "/api/purchase-orders/o1/pdf",
        "receipt": "/api/receipts/r1/pdf",
        "tickets": "/api/bookings/b7/tickets.pdf",
        "ticket": "/api/tickets/u4/download",
        "report": "/api/ledger/trial-balance",
    }
    assert set(words) == set(kinds._READERS)
    assert all(path in asked for path in words.values())


def test_it_says_what_lies_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"

    fetched(a_month(Counterpart()), out)

    said = " ".join(capsys.readouterr().out.split())
    assert "out/tickets: every booking's tickets for what is still to come, and one ticket alone (21 files)" in said
    assert "out/reports: every report as pdf, xlsx, csv, json (40 files)" in said


def test_a_paper_that_is_not_what_its_name_says_fails_the_demo(tmp_path: Path) -> None:
    month = a_month(Counterpart(content=b"<html>"))

    fetched(month, tmp_path)

    assert any("PO-1.pdf" in words for words in month.checks.failed)


def test_what_an_earlier_demo_left_is_gone(tmp_path: Path) -> None:
    (tmp_path / "tickets").mkdir()
    (tmp_path / "tickets" / "old.pdf").write_bytes(b"%PDF-")

    fetched(a_month(Counterpart()), tmp_path)

    assert "old.pdf" not in names(tmp_path, "tickets")
