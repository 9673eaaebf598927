"""What the invariants need to know from outside of the database, or that it cannot be known."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from temporalio.service import RPCError

from db.invariants import Outside
from gateways import temporal
from gateways.payments import BookLine, ProviderUnavailable, provider_named
from gateways.simulated_provider import tables
from gateways.simulated_provider.book import standing_of
from gateways.simulated_provider.vocabulary import Kind, State
from oracle.awake import awake
from settings import Settings

Line = dict[str, str]

PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What could be found out now, and which parts are not known to be at work."""

    outside: Outside
    asleep: Sequence[str]


def read(settings: Settings) -> Outside:
    """Everything that can be found out now."""
    return look(settings).outside


def look(settings: Settings) -> Seen:
    """The same, and why it is not known since when the house is awake."""
    told, processes = _asked(settings), running_processes(settings)
    services = {"provider": told, "temporal": processes}
    state = awake(settings, answering=[name for name, answer in services.items() if answer is not None])
    book = told if told is not None else _filed(settings.home / "provider" / "book.sqlite3")
    return Seen(outside=Outside(provider_book=book, processes=processes, awake_since=state.since), asleep=state.missing)


def _asked(settings: Settings) -> list[Line] | None:
    """The simulated provider's book over HTTP; None while it is down."""
    try:
        return _read_out(settings)
    except (ProviderUnavailable, ValueError):
        return None


def _read_out(settings: Settings) -> list[Line]:
    return [told(line) for line in provider_named("simulated", settings=settings).book()]


def told(line: BookLine) -> Line:
    """A charge of the provider's book as the invariants read it."""
    return {
        "reference": line.reference,
        "description": line.description,
        "currency": line.currency,
        "captured": str(line.captured.amount),
        "refunded": str(line.refunded.amount),
        "voided": str(line.voided.amount),
    }


def _filed(path: Path) -> list[Line] | None:
    """The same from the provider's file; empty before it ever ran."""
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
        "voided": str(standing.voided),
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
