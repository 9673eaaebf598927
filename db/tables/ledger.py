"""The books: entries, their legs, the seat movements behind the legs, and totals of closed days; append-only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.base import TENANT, amount, belongs_to, count, instant, tenant_table, uuid_column, words

journal_entries = tenant_table(
    "journal_entries",
    Column("entry_number", BigInteger, Identity(always=True), nullable=False),
    words("kind"),
    words("key"),
    words("subject_object"),
    uuid_column("subject_id"),
    words("reason", nullable=True),
    words("by"),
    words("currency"),
    instant("occurred_at"),
    instant("effective_at"),
    Column("accounting_date", Date, nullable=False),
    instant("recorded_at"),
    uuid_column("reverses_id", nullable=True),
    Column("written_by_tx", Text, nullable=False, server_default=text("pg_current_xact_id()::text")),
    belongs_to("journal_entries", "reverses_id"),
    UniqueConstraint("tenant_id", "key"),
    Index("ix_journal_entries_subject", "tenant_id", "subject_id"),
    Index("ix_journal_entries_effective_at", "tenant_id", "effective_at"),
    Index("ix_journal_entries_recorded_at", "tenant_id", "recorded_at"),
)

# effective_at, accounting_date and recorded_at repeat the entry's, so that a report reads one table.
journal_legs = tenant_table(
    "journal_legs",
    uuid_column("entry_id"),
    Column("leg", SmallInteger, nullable=False),
    words("kind"),
    words("account"),
    words("currency"),
    amount("amount"),
    count("quantity"),
    uuid_column("event_id", nullable=True),
    uuid_column("supplier_id", nullable=True),
    words("section", nullable=True),
    instant("effective_at"),
    Column("accounting_date", Date, nullable=False),
    instant("recorded_at"),
    belongs_to("journal_entries", "entry_id"),
    CheckConstraint("amount <> 0 OR quantity <> 0", name="says_something"),
    Index("ix_journal_legs_event_id", "tenant_id", "event_id"),
    key=("entry_id", "leg"),
)

# That there is the entry, of this transaction, is asked once a statement, by a trigger (decision 0013).
seat_movements = tenant_table(
    "seat_movements",
    uuid_column("entry_id"),
    uuid_column("event_seat_id"),
    words("account"),
    Column("quantity", SmallInteger, nullable=False),
    amount("cost"),
    uuid_column("event_id"),
    uuid_column("supplier_id"),
    words("section"),
    CheckConstraint("quantity IN (-1, 1)", name="one_seat"),
    CheckConstraint("account IN ('1200', '5000', '5200', '5300')", name="account"),
    Index("ix_seat_movements_event_seat_id", "tenant_id", "event_seat_id"),
    key=("entry_id", "account", "event_seat_id"),
)

# A stretch of recorded time that nothing can be added to any more; it begins where the one before it ends.
ledger_stretches = tenant_table(
    "ledger_stretches",
    words("span"),
    instant("ends_at"),
    instant("closed_at", now=True),
    CheckConstraint("span IN ('DAY', 'MONTH')", name="span"),
    key=("span", "ends_at"),
)

# What the legs recorded in a stretch add up to, by the day or month in which they were effective (UTC) and accounted.
ledger_totals = tenant_table(
    "ledger_totals",
    words("span"),
    instant("ends_at"),
    Column("line", Integer, nullable=False),
    words("account"),
    words("currency"),
    uuid_column("event_id", nullable=True),
    uuid_column("supplier_id", nullable=True),
    words("section", nullable=True),
    Column("effective_from", Date, nullable=False),
    Column("accounting_from", Date, nullable=False),
    Column("amount", Numeric(20, 2), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    ForeignKeyConstraint(
        [TENANT, "span", "ends_at"],
        [f"ledger_stretches.{TENANT}", "ledger_stretches.span", "ledger_stretches.ends_at"],
    ),
    Index("ix_ledger_totals_effective_from", "tenant_id", "span", "effective_from"),
    Index("ix_ledger_totals_accounting_from", "tenant_id", "span", "accounting_from"),
    Index("ix_ledger_totals_event_id", "tenant_id", "event_id"),
    key=("span", "ends_at", "line"),
)
