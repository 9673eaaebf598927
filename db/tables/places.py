"""Where and when: venues, their seats, events, and the event seats that are the only inventory there is."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.base import amount, belongs_to, count, instant, tenant_table, uuid_column, words
from domain.seating import OWNERSHIP, SEAT

venues = tenant_table(
    "venues",
    words("name"),
    words("venue_type"),
    words("timezone"),
    Column("address", JSONB, nullable=True),
    instant("created_at", now=True),
)

venue_seats = tenant_table(
    "venue_seats",
    uuid_column("venue_id"),
    words("section"),
    words("row_label"),
    words("seat_number"),
    words("sort_key"),
    words("seat_type", default="STANDARD"),
    Column("x", Numeric(10, 3), nullable=True),
    Column("y", Numeric(10, 3), nullable=True),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    belongs_to("venues", "venue_id"),
    UniqueConstraint("tenant_id", "venue_id", "section", "row_label", "seat_number"),
    Index("ix_venue_seats_human_order", "tenant_id", "venue_id", "sort_key"),
)

events = tenant_table(
    "events",
    words("title"),
    words("event_type"),
    uuid_column("venue_id"),
    instant("start_at"),
    instant("end_at"),
    words("timezone"),
    words("currency"),
    Column("tax_rate", Numeric(6, 4), nullable=False, server_default="0"),
    words("description", nullable=True),
    words("status", default="DRAFT"),
    instant("closed_at", nullable=True),
    count("version", default="1"),
    instant("created_at", now=True),
    belongs_to("venues", "venue_id"),
    CheckConstraint("status IN ('DRAFT', 'PUBLISHED', 'ON_SALE')", name="status"),
    CheckConstraint("end_at > start_at", name="ends_after_start"),
    Index("ix_events_venue_id", "tenant_id", "venue_id"),
)

event_seats = tenant_table(
    "event_seats",
    uuid_column("event_id"),
    uuid_column("venue_seat_id"),
    words("section"),
    words("row_label"),
    words("seat_number"),
    words("sort_key"),
    words("ownership_status", default="NOT_OWNED"),
    words("status", default="AVAILABLE"),
    instant("held_until", nullable=True),
    uuid_column("supplier_id", nullable=True),
    uuid_column("purchase_order_id", nullable=True),
    uuid_column("purchase_order_line_id", nullable=True),
    uuid_column("receipt_id", nullable=True),
    amount("purchase_price", nullable=True, scale=4),
    amount("cost", nullable=True),
    amount("retail_price", nullable=True),
    Column("written_off", Boolean, nullable=False, server_default=text("false")),
    belongs_to("events", "event_id"),
    belongs_to("venue_seats", "venue_seat_id"),
    # One key instead of three: the receipt has its own order's and supplier's checked (decision 0013).
    belongs_to("receipts", "receipt_id", "purchase_order_id", "supplier_id", name="fk_event_seats_receipt"),
    UniqueConstraint("tenant_id", "event_id", "section", "row_label", "seat_number"),
    CheckConstraint(OWNERSHIP.check_sql("ownership_status"), name="ownership_status"),
    CheckConstraint(SEAT.check_sql("status"), name="status"),
    CheckConstraint("status NOT IN ('RESERVED', 'SOLD') OR ownership_status = 'OWNED'", name="sold_is_owned"),
    CheckConstraint("(status = 'RESERVED') = (held_until IS NOT NULL)", name="reserved_has_an_end"),
    CheckConstraint(
        "ownership_status = 'NOT_OWNED' OR (cost IS NOT NULL AND supplier_id IS NOT NULL)", name="owned_has_a_cost"
    ),
    Index("ix_event_seats_human_order", "tenant_id", "event_id", "sort_key"),
    postgresql_with={"fillfactor": "80"},
)
