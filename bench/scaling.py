"""The figures of docs/scaling.md: what was measured, carried forward by arithmetic that is shown, and an on-sale simulated with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import results
from bench.onsale import MEAN_PARTY, Hall, Sale, Told
from settings import ROOT

PAGE = ROOT / "docs" / "scaling.md"
BLOCK = "<!-- made: {name} -->\n{text}\n<!-- end -->"
KEPT = 0.8
"""What of a core's work is left when a part gets more of them: a guess on the careful side, to be replaced by a measurement."""
SAFE = 0.5
"""The share of what was measured that is let in: at half of the knee the waiting times are short."""
REQUESTS_PER_VISIT, PAYERS = 2.0, 0.75


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """Cores for requests and their database, and for the engine, its database and the workers."""

    words: str
    selling: int
    processes: int


MEASURED = Hardware(words="2 cores for everything (measured)", selling=2, processes=2)
HARDWARE = (
    MEASURED,
    Hardware(words="4 + 4 cores: the engine on a machine of its own", selling=4, processes=4),
    Hardware(words="16 + 16 cores: two API machines, one database, one engine", selling=16, processes=16),
    Hardware(words="64 + 32 cores", selling=64, processes=32),
)


def values() -> dict[str, float]:
    """Our measured values by row."""
    return {line["row"]: float(line["value"]) for line in json.loads(results.LATEST.read_text())}


def carried(value: float, cores: int, *, measured_on: int = MEASURED.selling) -> float:
    """A rate per second on so many cores: all of it where it was measured, KEPT of the proportion elsewhere."""
    return value if cores == measured_on else value * cores / measured_on * KEPT


def sale(hardware: Hardware, measured: Mapping[str, float]) -> Sale:
    """The on-sale of 200,000 for 20,000 on this hardware: the admission keeps both stations at half of what they can do."""
    reserves = carried(measured["reserve"], hardware.selling)
    pays = carried(measured["paid_booking"], hardware.processes)
    admitted = min(SAFE * reserves / REQUESTS_PER_VISIT, SAFE * pays / PAYERS)
    return Sale(
        admitted_per_second=admitted,
        most_inside=round(admitted * 300),
        reserves_per_second=reserves,
        pays_per_second=pays,
    )


def rates(measured: Mapping[str, float]) -> str:
    """Bookings per second by hardware, with the arithmetic."""
    head = "| hardware | reservations/s | paid bookings/s | seats sold/s | let in/s |\n|---|---:|---:|---:|---:|"
    rows = []
    for hardware in HARDWARE:
        planned = sale(hardware, measured)
        rows.append(
            f"| {hardware.words} | {planned.reserves_per_second:,.0f} | {planned.pays_per_second:,.0f} "
            f"| {planned.pays_per_second * MEAN_PARTY:,.0f} | {planned.admitted_per_second:,.0f} |"
        )
    return "\n".join([head, *rows])


def onsale(measured: Mapping[str, float]) -> str:
    """The simulated sale by hardware."""
    head = (
        "| hardware | let in/s | let in | sold | bookings | refused a choice | left with nothing | 95 % sold after "
        "| waited p50 / p95 | reserve p99 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    rows = [_onsale_row(hardware, sale(hardware, measured)) for hardware in HARDWARE]
    return "\n".join([head, *rows])


def _onsale_row(hardware: Hardware, planned: Sale) -> str:
    told: Told = Hall(planned).open()
    return (
        f"| {hardware.words} | {planned.admitted_per_second:,.0f} | {told.admitted:,} | {told.sold:,} | {told.bookings:,} "
        f"| {told.taken_from:,} | {told.left_with_nothing:,} | {_minutes(told.nearly_at)} "
        f"| {_minutes(told.wait(50))} / {_minutes(told.wait(95))} | {told.answer(99) * 1000:,.0f} ms |"
    )


def measured_rows(measured: Mapping[str, float]) -> str:
    """The measured figures that the page reckons with."""
    lines = {line["row"]: line for line in json.loads(results.LATEST.read_text())}
    used = [name for name in ("reserve", "paid_booking", "receive_50k", "expire_10k", "profit_5m") if name in measured]
    rows = [f"| {name} | {lines[name]['value']:,g} {lines[name]['unit']} |" for name in used]
    return "\n".join(["| row of PERFORMANCE.md | measured |", "|---|---:|", *rows])


BLOCKS: dict[str, Callable[[Mapping[str, float]], str]] = {"measured": measured_rows, "rates": rates, "on-sale": onsale}


def renewed(text: str, measured: Mapping[str, float]) -> str:
    """The page with its made blocks made anew."""
    for name, make in BLOCKS.items():
        pattern = re.compile(re.escape(f"<!-- made: {name} -->") + r"\n(?:.*?\n)??<!-- end -->", re.DOTALL)
        place = pattern.search(text)
        assert place is not None, f"{PAGE.name} has a block {name}"
        text = text[: place.start()] + BLOCK.format(name=name, text=make(measured)) + text[place.end() :]
    return text


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def page() -> str:
    """The page as it stands, with the figures of `latest.json`."""
    return renewed(PAGE.read_text(encoding="utf-8"), values())
