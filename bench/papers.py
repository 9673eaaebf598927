"""Rows of the papers: how long a delivery's receipt takes to print in a worker that has printed before, and in how much memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from bench.memory import peak_megabytes
from bench.row import Figure, Group, Judged, Row
from domain.money import Money
from reports import press
from reports.papers import Event, Issuer, Receipt, ReceiptLine, Supplier
from settings import ROOT

RUNS, ROW_SEATS = 3, 100
AT = datetime(2026, 11, 12, 13, 5, tzinfo=UTC)


def a_receipt(seats: int) -> Receipt:
    """A delivery of every other seat of a hall, so that no two seats fold into a range."""
    names = tuple(("Stalls", str(n // ROW_SEATS + 1), str(2 * (n % ROW_SEATS) + 1)) for n in range(seats))
    event = Event(
        title="An evening with everybody",
        starts_at=AT,
        timezone="Europe/Berlin",
        venue="Arena",
        address="Hafenstrasse 1, 20457 Hamburg",
    )
    amount = Money(Decimal(20) * seats, "EUR")
    line = ReceiptLine(
        number=1,
        event=event,
        description="Seats",
        ordered=seats,
        received_before=0,
        open=0,
        unit_price=Decimal("20.0000"),
        amount=amount,
        seats=names,
    )
    return Receipt(
        issuer=Issuer(name="Parkside Tickets", currency="EUR", timezone="Europe/Berlin", locale="en_DE"),
        supplier=Supplier(name="Harbour Concerts", email="office@supplier.example"),
        number="GRN-2026-00001",
        order_number="PO-2026-00001",
        delivery_reference="LS-1",
        delivered_at=AT,
        received_by="Owner",
        fulfillment_method="PDF_DELIVERY",
        lines=(line,),
        total=amount,
    )


def printed(seats: int) -> tuple[float, float]:
    """The receipt printed in a fresh process that has printed a small one before: seconds, and the process's peak MB."""
    command = (sys.executable, "-m", "bench.papers", str(seats))
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = json.loads(said.splitlines()[-1])
    return found["seconds"], found["mb"]


def seconds(_: None, *, seats: int) -> Figure:
    """The middle of three processes; their peak memory in the notes."""
    found = [printed(seats) for _ in range(RUNS)]
    middle, peak = statistics.median(s for s, _ in found), statistics.median(mb for _, mb in found)
    return Figure(value=middle, notes={"least": min(found)[0], "most": max(found)[0], "peak_mb": peak})


def megabytes(_: None, *, seats: int) -> Figure:
    """The peak of a process that prints one."""
    return Figure(value=printed(seats)[1])


@contextmanager
def no_ground() -> Iterator[None]:
    """A paper needs neither database nor engine."""
    yield None


def _print(seats: int) -> None:
    """The fresh process: warm up as the worker is warm, print, say what it took."""
    press.receipt_pdf(a_receipt(4))
    paper, took = a_receipt(seats), []
    for _ in range(5 if seats < 1000 else 1):
        began = time.perf_counter()
        press.receipt_pdf(paper)
        took.append(time.perf_counter() - began)
    print(json.dumps({"seconds": statistics.median(took), "mb": peak_megabytes(os.getpid())}))


GROUPS: tuple[Group, ...] = (
    Group(
        ground=no_ground,
        rows=(
            Row(
                name="receipt_pdf_100",
                sentence="Printing the receipt of 100 scattered seats, in a process that has printed before.",
                unit="s",
                anchor="none",
                judged=Judged.VALUE_LOW,
                floor=0.1,
                target=0.04,
                measure=partial(seconds, seats=100),
                short="layout, box by box, and the cutting of its fonts, once a paper (docs/decisions/0009).",
            ),
            Row(
                name="receipt_pdf_5000",
                sentence="The same of 5,000 seats, no two of which are neighbours.",
                unit="s",
                anchor="none",
                judged=Judged.VALUE_LOW,
                floor=20,
                target=9,
                measure=partial(seconds, seats=5000),
            ),
            Row(
                name="receipt_pdf_5000_mb",
                sentence="The most memory a fresh process ever holds that prints it.",
                unit="MB",
                anchor="none",
                judged=Judged.VALUE_LOW,
                floor=300,
                target=150,
                measure=partial(megabytes, seats=5000),
            ),
        ),
    ),
)

if __name__ == "__main__":
    _print(int(sys.argv[1]))
