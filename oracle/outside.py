"""What the invariants need to know from outside of the database, or that it cannot be known."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psutil
from temporalio.service import RPCError

from db.invariants import Outside
from gateways import temporal
from gateways.payments import ProviderUnavailable, provider_named
from gateways.simulated_provider import tables
from gateways.simulated_provider.book import standing_of
from gateways.simulated_provider.vocabulary import Kind, State
from settings import Settings

Line = dict[str, str]

# Who must be at work before anything can be late.
AWAKE = ("dispatcher", "worker-1", "worker-documents", "temporal", "provider")
PATIENCE = 10.0


def read(settings: Settings) -> Outside:
    """Everything that can be found out now."""
    return Outside(
        provider_book=provider_book(settings),
        processes=running_processes(settings),
        awake_since=awake_since(settings.run_dir),
    )


def provider_book(settings: Settings) -> Sequence[Line] | None:
    """The simulated provider's book: over HTTP, or while it is down from its file; empty before it ever ran."""
    try:
        return _asked(settings)
    except (ProviderUnavailable, ValueError):
        return _filed(settings.home / "provider" / "book.sqlite3")


def _asked(settings: Settings) -> list[Line]:
    return [
        {
            "reference": line.reference,
            "description": line.description,
            "currency": line.currency,
            "captured": str(line.captured.amount),
            "refunded": str(line.refunded.amount),
        }
        for line in provider_named("simulated", settings=settings).book()
    ]


def _filed(path: Path) -> list[Line] | None:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as book:
            book.row_factory = sqlite3.Row
            charges = book.execute(
                "SELECT reference, merchant_reference, currency FROM charges ORDER BY sequence"
            ).fetchall()
            return [line for charge in charges if (line := _line(book, charge)) is not None]
    except sqlite3.Error:
        return None


def _line(book: sqlite3.Connection, charge: sqlite3.Row) -> Line | None:
    """A charge as the provider would tell it; None while its authorisation is pending."""
    columns = tables.EFFECT_COLUMNS
    rows = book.execute(f"SELECT {columns} FROM effects WHERE charge = ?", (charge["reference"],))  # noqa: S608 -- the columns are a constant
    effects = [tables.effect_of(row) for row in rows]
    if not any(e.kind is Kind.AUTHORISE and e.state in {State.AUTHORISED, State.CAPTURED} for e in effects):
        return None
    standing = standing_of(effects, currency=charge["currency"])
    return {
        "reference": charge["reference"],
        "description": charge["merchant_reference"],
        "currency": charge["currency"],
        "captured": str(standing.captured),
        "refunded": str(standing.refunded),
    }


def running_processes(settings: Settings) -> list[str] | None:
    """The ids of Temporal's open workflows; None when it does not answer."""
    if settings.temporal_address is None:
        return None
    try:
        listing = _listed(settings.temporal_address, settings.temporal_namespace)
        return asyncio.run(asyncio.wait_for(listing, timeout=PATIENCE))
    except (RPCError, RuntimeError, TimeoutError):
        return None


async def _listed(address: str, namespace: str) -> list[str]:
    client = await temporal.connect(address, namespace=namespace)
    return [one.id async for one in client.list_workflows('ExecutionStatus = "Running"')]


def awake_since(run_dir: Path) -> datetime | None:
    """Since when all the working parts have been running without a break; None while one of them is not."""
    begun = [_running_since(run_dir / f"{part}.pid") for part in AWAKE]
    return max(cast(list[datetime], begun)) if all(begun) else None


def _running_since(pid_file: Path) -> datetime | None:
    """When the process that a pid file names was started; None when it does not run."""
    try:
        return datetime.fromtimestamp(psutil.Process(int(pid_file.read_text())).create_time(), UTC)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
