"""What we buy: suppliers, purchase orders, receipts, bills and what was paid on them."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Computed, Date, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables.base import amount, belongs_to, count, instant, tenant_table, uuid_column, words

suppliers = tenant_table(
    "suppliers",
    words("name"),
    words("supplier_type"),
    words("email", nullable=True),
    words("payment_terms"),
    Column("wholesale_discount_rate", Numeric(6, 4), nullable=True),
    words("tax_id", nullable=True),
    words("contact_person", nullable=True),
    words("notes", nullable=True),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    count("version", default="1"),
    instant("created_at", now=True),
)

purchase_orders = tenant_table(
    "purchase_orders",
    words("po_number"),
    uuid_column("supplier_id"),
    words("fulfillment_method"),
    words("currency"),
    words("payment_terms"),
    Column("expected_date", Date, nullable=True),
    words("reference", nullable=True),
    words("notes", nullable=True),
    words("supplier_reference", nullable=True),
    amount("total_amount"),
    count("version", default="1"),
    words("created_by"),
    instant("created_at", now=True),
    instant("submitted_at", nullable=True),
    instant("confirmed_at", nullable=True),
    instant("cancelled_at", nullable=True),
    words("cancellation_reason", nullable=True),
    belongs_to("suppliers", "supplier_id"),
    UniqueConstraint("tenant_id", "po_number"),
    Index("ix_purchase_orders_supplier_id", "tenant_id", "supplier_id"),
)

purchase_order_lines = tenant_table(
    "purchase_order_lines",
    uuid_column("purchase_order_id"),
    count("line_number"),
    uuid_column("event_id"),
    words("description"),
    count("quantity"),
    amount("unit_price", scale=4),
    amount("retail_price", nullable=True),
    Column("seats", ARRAY(Text), nullable=False, server_default="{}"),
    amount("line_total"),
    count("confirmed_quantity"),
    count("received_quantity"),
    count("rejected_quantity"),
    count("cancelled_quantity"),
    belongs_to("purchase_orders", "purchase_order_id"),
    belongs_to("events", "event_id"),
    UniqueConstraint("tenant_id", "purchase_order_id", "line_number"),
    Index("ix_purchase_order_lines_event_id", "tenant_id", "event_id"),
    CheckConstraint("quantity > 0", name="quantity_is_positive"),
    CheckConstraint("unit_price >= 0", name="price_is_not_negative"),
    CheckConstraint("confirmed_quantity BETWEEN 0 AND quantity", name="confirmed_within_ordered"),
    CheckConstraint(
        "received_quantity >= 0 AND cancelled_quantity >= 0 AND rejected_quantity >= 0"
        " AND received_quantity + cancelled_quantity <= GREATEST(confirmed_quantity, CASE WHEN received_quantity = 0"
        " THEN quantity ELSE 0 END)",
        name="received_within_confirmed",
    ),
)

receipts = tenant_table(
    "receipts",
    words("receipt_number"),
    uuid_column("purchase_order_id"),
    uuid_column("supplier_id"),
    words("delivery_reference"),
    words("content_hash"),
    instant("delivered_at"),
    words("received_by"),
    count("seat_count"),
    amount("total_amount"),
    uuid_column("operation_id", nullable=True),
    instant("created_at", now=True),
    belongs_to("purchase_orders", "purchase_order_id"),
    belongs_to("suppliers", "supplier_id"),
    UniqueConstraint("tenant_id", "receipt_number"),
    UniqueConstraint("tenant_id", "purchase_order_id", "delivery_reference"),
    UniqueConstraint("tenant_id", "id", "purchase_order_id", "supplier_id", name="uq_receipts_whose"),
)

receipt_lines = tenant_table(
    "receipt_lines",
    uuid_column("receipt_id"),
    uuid_column("line_id"),
    uuid_column("event_id"),
    count("quantity"),
    amount("unit_price", scale=4),
    amount("amount"),
    count("ordered_quantity"),
    count("received_before"),
    belongs_to("receipts", "receipt_id"),
    belongs_to("purchase_order_lines", "line_id"),
    UniqueConstraint("tenant_id", "receipt_id", "line_id"),
)

# That its seats came by the receipt is asked once a statement, by a trigger (decision 0013).
receipt_seats = tenant_table(
    "receipt_seats",
    uuid_column("receipt_id"),
    uuid_column("line_id"),
    uuid_column("event_seat_id"),
    amount("cost"),
    key=("receipt_id", "event_seat_id"),
)

bills = tenant_table(
    "bills",
    words("number"),
    uuid_column("supplier_id"),
    uuid_column("purchase_order_id"),
    uuid_column("receipt_id"),
    amount("amount"),
    amount("settled_amount", default="0"),
    Column("open_amount", Numeric(14, 2), Computed("amount - settled_amount", persisted=True), nullable=False),
    Column(
        "status",
        Text,
        Computed(
            "CASE WHEN settled_amount >= amount THEN 'PAID' WHEN settled_amount > 0 THEN 'PARTIALLY_PAID' ELSE 'OPEN' END",
            persisted=True,
        ),
        nullable=False,
    ),
    words("currency"),
    Column("bill_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    words("terms"),
    instant("created_at", now=True),
    belongs_to("suppliers", "supplier_id"),
    belongs_to("purchase_orders", "purchase_order_id"),
    belongs_to("receipts", "receipt_id"),
    UniqueConstraint("tenant_id", "number"),
    UniqueConstraint("tenant_id", "receipt_id"),
    CheckConstraint("settled_amount BETWEEN 0 AND amount", name="never_overpaid"),
    Index("ix_bills_purchase_order_id", "tenant_id", "purchase_order_id"),
    Index("ix_bills_supplier_id", "tenant_id", "supplier_id", "due_date"),
)

supplier_payments = tenant_table(
    "supplier_payments",
    words("number"),
    uuid_column("supplier_id"),
    uuid_column("purchase_order_id", nullable=True),
    amount("amount"),
    amount("advance_amount", default="0"),
    amount("advance_used", default="0"),
    words("currency"),
    words("method"),
    words("reference"),
    instant("paid_at"),
    words("paid_by"),
    uuid_column("operation_id"),
    instant("created_at", now=True),
    belongs_to("suppliers", "supplier_id"),
    belongs_to("purchase_orders", "purchase_order_id"),
    UniqueConstraint("tenant_id", "operation_id"),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    CheckConstraint("advance_used BETWEEN 0 AND advance_amount", name="advance_not_overused"),
    CheckConstraint("advance_amount BETWEEN 0 AND amount", name="advance_within_payment"),
    Index("ix_supplier_payments_purchase_order_id", "tenant_id", "purchase_order_id"),
)

# How much of a bill was met by which payment, or by which payment's advance.
bill_settlements = tenant_table(
    "bill_settlements",
    uuid_column("bill_id"),
    uuid_column("payment_id"),
    words("source"),
    amount("amount"),
    instant("settled_at"),
    belongs_to("bills", "bill_id"),
    belongs_to("supplier_payments", "payment_id"),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    CheckConstraint("source IN ('PAYMENT', 'ADVANCE')", name="source"),
    Index("ix_bill_settlements_bill_id", "tenant_id", "bill_id"),
)
