"""How the provider's book lies in its SQLite file, and how rows become words."""

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from gateways.simulated_provider.vocabulary import Effect, Kind, State

VERSION = 1
"""Of the file's layout; a book of another layout is refused, never guessed at."""

SCHEMA = """
CREATE TABLE charges (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL,
    currency TEXT NOT NULL,
    merchant_reference TEXT NOT NULL
) STRICT;
CREATE INDEX charges_by_merchant_reference ON charges (merchant_reference);
CREATE TABLE effects (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('authorise', 'capture', 'void', 'refund')),
    state TEXT NOT NULL CHECK (state IN (
        'authorised', 'captured', 'voided', 'refunded', 'pending', 'declined', 'failed', 'refused')),
    reason TEXT,
    charge TEXT REFERENCES charges (reference),
    amount TEXT,
    currency TEXT,
    occurred_at TEXT NOT NULL,
    due_at TEXT CHECK (state <> 'pending' OR due_at IS NOT NULL),
    answer_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT;
CREATE INDEX effects_by_charge ON effects (charge);
CREATE INDEX effects_pending ON effects (due_at) WHERE state = 'pending';
"""

EFFECT_COLUMNS = "key, kind, state, reason, charge, amount, currency, occurred_at, due_at, answer_at, fingerprint"


class ForeignBook(Exception):
    """The file is a book of another layout."""


def open_book(path: Path) -> sqlite3.Connection:
    """The book at `path`, made when missing, every commit on disk before it returns. Raises ForeignBook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise ForeignBook(f"{path} has layout {version}, this release reads {VERSION}")
    return connection


def effect_of(row: sqlite3.Row) -> Effect:
    """One row of `EFFECT_COLUMNS` as the words of the book."""
    return Effect(
        key=row["key"],
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        reason=row["reason"],
        charge=row["charge"],
        amount=None if row["amount"] is None else Decimal(row["amount"]),
        currency=row["currency"],
        occurred_at=instant(row["occurred_at"]),
        due_at=None if row["due_at"] is None else instant(row["due_at"]),
        answer_at=instant(row["answer_at"]),
        fingerprint=row["fingerprint"],
    )


def row_of(effect: Effect) -> tuple[str | None, ...]:
    """An effect as the values of `EFFECT_COLUMNS`."""
    return (
        effect.key,
        effect.kind,
        effect.state,
        effect.reason,
        effect.charge,
        None if effect.amount is None else str(effect.amount),
        effect.currency,
        stamp(effect.occurred_at),
        None if effect.due_at is None else stamp(effect.due_at),
        stamp(effect.answer_at),
        effect.fingerprint,
    )


def stamp(at: datetime) -> str:
    """An instant as text of one width in UTC, so that the order of the texts is the order of the instants."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """The instant a stamp stands for."""
    return datetime.fromisoformat(text)
