"""What every process stands on: operations, outbox, history, idempotency keys, labels and documents."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.base import count, instant, tenant_table, uuid_column, words

operations = tenant_table(
    "operations",
    words("kind"),
    words("status", default="queued"),
    words("waiting_for", nullable=True),
    count("progress_done"),
    count("progress_total"),
    words("progress_unit", default="steps"),
    words("subject_object"),
    uuid_column("subject_id"),
    words("subject_number", nullable=True),
    Column("payload", JSONB, nullable=False, server_default="{}"),
    Column("result", JSONB, nullable=True),
    Column("error", JSONB, nullable=True),
    words("requested_by"),
    words("request_id", nullable=True),
    instant("created_at", now=True),
    instant("ended_at", nullable=True),
    CheckConstraint("status IN ('queued','running','waiting','succeeded','failed','cancelled')", name="status"),
    Index("ix_operations_subject", "tenant_id", "subject_id", "id"),
    Index("ix_operations_open", "created_at", postgresql_where=text("ended_at IS NULL")),
)

# What Temporal or the mail server must still hear of; a row leaves the queue only when the other side has accepted it.
outbox = tenant_table(
    "outbox",
    words("kind"),
    words("key"),
    Column("payload", JSONB, nullable=False),
    count("attempts"),
    instant("next_at", now=True),
    instant("delivered_at", nullable=True),
    words("last_error", nullable=True),
    instant("created_at", now=True),
    UniqueConstraint("tenant_id", "key"),
    CheckConstraint("kind IN ('START', 'UPDATE', 'PAPER', 'MAIL')", name="kind"),
    Index("ix_outbox_due", "next_at", postgresql_where=text("delivered_at IS NULL")),
)

history = tenant_table(
    "history",
    Column("entry", BigInteger, Identity(always=True), nullable=False),
    words("object"),
    uuid_column("subject_id"),
    instant("at", now=True),
    words("by"),
    words("from_status", nullable=True),
    words("to_status"),
    words("reason", nullable=True),
    uuid_column("operation_id", nullable=True),
    Index("ix_history_subject", "tenant_id", "subject_id", "entry"),
    key=("entry",),
)

idempotency_keys = tenant_table(
    "idempotency_keys",
    words("principal"),
    words("method"),
    words("path"),
    words("key"),
    words("fingerprint"),
    Column("status", Integer, nullable=False),
    words("body"),
    Column("headers", JSONB, nullable=False),
    uuid_column("operation_id", nullable=True),
    instant("created_at", now=True),
    Index("ix_idempotency_keys_created_at", "created_at"),
    key=("principal", "method", "path", "key"),
)

# What a thing was called since when: a report for a moment uses the names of that moment (accounting.md B).
labels = tenant_table(
    "labels",
    words("object"),
    uuid_column("subject_id"),
    instant("since", now=True),
    words("label"),
    key=("object", "subject_id", "since"),
)

documents = tenant_table(
    "documents",
    words("kind"),
    words("key"),
    uuid_column("subject_id", nullable=True),
    Column("parameters", JSONB, nullable=False, server_default="{}"),
    words("filename"),
    words("media_type"),
    words("storage_key", nullable=True),
    count("size"),
    words("failure", nullable=True),
    words("process_id", nullable=True),
    instant("created_at", now=True),
    instant("stored_at", nullable=True),
    UniqueConstraint("tenant_id", "key"),
    Index("ix_documents_unmade", "created_at", postgresql_where=text("storage_key IS NULL AND failure IS NULL")),
)
