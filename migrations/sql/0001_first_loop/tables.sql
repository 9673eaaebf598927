-- The tables, as db/tables describes them; a test compares the two.

CREATE TABLE customers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT,
    customer_type TEXT DEFAULT 'INDIVIDUAL' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_customers PRIMARY KEY (tenant_id, id)
);

CREATE TABLE documents (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    subject_id UUID,
    parameters JSONB DEFAULT '{}' NOT NULL,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    storage_key TEXT,
    size INTEGER DEFAULT '0' NOT NULL,
    failure TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_documents PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_documents_tenant_id_key UNIQUE (tenant_id, key)
);

CREATE TABLE history (
    tenant_id UUID NOT NULL,
    entry BIGINT GENERATED ALWAYS AS IDENTITY,
    object TEXT NOT NULL,
    subject_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    by TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    reason TEXT,
    operation_id UUID,
    CONSTRAINT pk_history PRIMARY KEY (tenant_id, entry)
);

CREATE INDEX ix_history_subject ON history (tenant_id, subject_id, entry);

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    principal TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    headers JSONB NOT NULL,
    operation_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, principal, method, path, key)
);

CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE installation (
    fact TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_installation PRIMARY KEY (fact)
);

CREATE TABLE journal_entries (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    entry_number BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    subject_object TEXT NOT NULL,
    subject_id UUID NOT NULL,
    reason TEXT,
    by TEXT NOT NULL,
    currency TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accounting_date DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reverses_id UUID,
    written_by_tx TEXT DEFAULT pg_current_xact_id()::text NOT NULL,
    CONSTRAINT pk_journal_entries PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_journal_entries_tenant_id_reverses_id FOREIGN KEY(tenant_id, reverses_id) REFERENCES journal_entries (tenant_id, id),
    CONSTRAINT uq_journal_entries_tenant_id_key UNIQUE (tenant_id, key)
);

CREATE INDEX ix_journal_entries_effective_at ON journal_entries (tenant_id, effective_at);

CREATE INDEX ix_journal_entries_subject ON journal_entries (tenant_id, subject_id);

CREATE TABLE labels (
    tenant_id UUID NOT NULL,
    object TEXT NOT NULL,
    subject_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    label TEXT NOT NULL,
    CONSTRAINT pk_labels PRIMARY KEY (tenant_id, object, subject_id, since)
);

CREATE TABLE login_failures (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    failed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
);

CREATE INDEX ix_login_failures_account ON login_failures (account, address, failed_at);

CREATE TABLE operations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    status TEXT DEFAULT 'queued' NOT NULL,
    waiting_for TEXT,
    progress_done INTEGER DEFAULT '0' NOT NULL,
    progress_total INTEGER DEFAULT '0' NOT NULL,
    progress_unit TEXT DEFAULT 'steps' NOT NULL,
    subject_object TEXT NOT NULL,
    subject_id UUID NOT NULL,
    subject_number TEXT,
    payload JSONB DEFAULT '{}' NOT NULL,
    result JSONB,
    error JSONB,
    requested_by TEXT NOT NULL,
    request_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_operations PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_operations_status CHECK (status IN ('queued','running','waiting','succeeded','failed','cancelled'))
);

CREATE INDEX ix_operations_open ON operations (created_at) WHERE ended_at IS NULL;

CREATE INDEX ix_operations_subject ON operations (tenant_id, subject_id, id);

CREATE TABLE outbox (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload JSONB NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_outbox_tenant_id_key UNIQUE (tenant_id, key),
    CONSTRAINT ck_outbox_kind CHECK (kind IN ('START', 'UPDATE', 'MAIL'))
);

CREATE INDEX ix_outbox_due ON outbox (next_at) WHERE delivered_at IS NULL;

CREATE TABLE suppliers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    supplier_type TEXT NOT NULL,
    email TEXT,
    payment_terms TEXT NOT NULL,
    wholesale_discount_rate NUMERIC(6, 4),
    tax_id TEXT,
    contact_person TEXT,
    notes TEXT,
    active BOOLEAN DEFAULT true NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_suppliers PRIMARY KEY (tenant_id, id)
);

CREATE TABLE tenants (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    timezone TEXT NOT NULL,
    locale TEXT DEFAULT 'en' NOT NULL,
    service_fee_percent NUMERIC(6, 3) DEFAULT '10' NOT NULL,
    reservation_window INTERVAL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tenants PRIMARY KEY (id),
    CONSTRAINT uq_tenants_name UNIQUE (name),
    CONSTRAINT ck_tenants_fee_in_percent CHECK (service_fee_percent >= 0 AND service_fee_percent <= 100)
);

CREATE TABLE users (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX uq_users_email ON users (lower(email));

CREATE TABLE venues (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    venue_type TEXT NOT NULL,
    timezone TEXT NOT NULL,
    address JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_venues PRIMARY KEY (tenant_id, id)
);

CREATE TABLE credentials (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    secret_hash BYTEA NOT NULL,
    kind TEXT NOT NULL,
    user_id UUID,
    family_id UUID NOT NULL,
    name TEXT,
    prefix TEXT,
    permissions TEXT[] NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_credentials PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT ck_credentials_kind CHECK (kind IN ('ACCESS', 'REFRESH', 'API_KEY'))
);

CREATE INDEX ix_credentials_family ON credentials (tenant_id, family_id);

CREATE UNIQUE INDEX uq_credentials_secret_hash ON credentials (secret_hash);

CREATE TABLE events (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    title TEXT NOT NULL,
    event_type TEXT NOT NULL,
    venue_id UUID NOT NULL,
    start_at TIMESTAMP WITH TIME ZONE NOT NULL,
    end_at TIMESTAMP WITH TIME ZONE NOT NULL,
    timezone TEXT NOT NULL,
    currency TEXT NOT NULL,
    tax_rate NUMERIC(6, 4) DEFAULT '0' NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'DRAFT' NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_events_tenant_id_venue_id FOREIGN KEY(tenant_id, venue_id) REFERENCES venues (tenant_id, id),
    CONSTRAINT ck_events_status CHECK (status IN ('DRAFT', 'PUBLISHED', 'ON_SALE')),
    CONSTRAINT ck_events_ends_after_start CHECK (end_at > start_at)
);

CREATE INDEX ix_events_venue_id ON events (tenant_id, venue_id);

CREATE TABLE journal_legs (
    tenant_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    leg SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    quantity INTEGER DEFAULT '0' NOT NULL,
    event_id UUID,
    supplier_id UUID,
    section TEXT,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accounting_date DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_journal_legs PRIMARY KEY (tenant_id, entry_id, leg),
    CONSTRAINT fk_journal_legs_tenant_id_entry_id FOREIGN KEY(tenant_id, entry_id) REFERENCES journal_entries (tenant_id, id),
    CONSTRAINT ck_journal_legs_says_something CHECK (amount <> 0 OR quantity <> 0)
);

CREATE INDEX ix_journal_legs_event_id ON journal_legs (tenant_id, event_id);

CREATE TABLE purchase_orders (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    po_number TEXT NOT NULL,
    supplier_id UUID NOT NULL,
    fulfillment_method TEXT NOT NULL,
    currency TEXT NOT NULL,
    payment_terms TEXT NOT NULL,
    expected_date DATE,
    reference TEXT,
    notes TEXT,
    supplier_reference TEXT,
    total_amount NUMERIC(14, 2) NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    cancellation_reason TEXT,
    CONSTRAINT pk_purchase_orders PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_purchase_orders_tenant_id_supplier_id FOREIGN KEY(tenant_id, supplier_id) REFERENCES suppliers (tenant_id, id),
    CONSTRAINT uq_purchase_orders_tenant_id_po_number UNIQUE (tenant_id, po_number)
);

CREATE INDEX ix_purchase_orders_supplier_id ON purchase_orders (tenant_id, supplier_id);

CREATE TABLE seat_movements (
    tenant_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    event_seat_id UUID NOT NULL,
    account TEXT NOT NULL,
    quantity SMALLINT NOT NULL,
    cost NUMERIC(14, 2) NOT NULL,
    event_id UUID NOT NULL,
    supplier_id UUID NOT NULL,
    section TEXT NOT NULL,
    CONSTRAINT pk_seat_movements PRIMARY KEY (tenant_id, entry_id, account, event_seat_id),
    CONSTRAINT fk_seat_movements_tenant_id_entry_id FOREIGN KEY(tenant_id, entry_id) REFERENCES journal_entries (tenant_id, id),
    CONSTRAINT ck_seat_movements_one_seat CHECK (quantity IN (-1, 1)),
    CONSTRAINT ck_seat_movements_account CHECK (account IN ('1200', '5000', '5200', '5300'))
);

CREATE INDEX ix_seat_movements_event_seat_id ON seat_movements (tenant_id, event_seat_id);

CREATE TABLE venue_seats (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    venue_id UUID NOT NULL,
    section TEXT NOT NULL,
    row_label TEXT NOT NULL,
    seat_number TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    seat_type TEXT DEFAULT 'STANDARD' NOT NULL,
    x NUMERIC(10, 3),
    y NUMERIC(10, 3),
    active BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_venue_seats PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_venue_seats_tenant_id_venue_id FOREIGN KEY(tenant_id, venue_id) REFERENCES venues (tenant_id, id),
    CONSTRAINT uq_venue_seats_tenant_id_venue_id_section_row_label_seat_number UNIQUE (tenant_id, venue_id, section, row_label, seat_number)
);

CREATE INDEX ix_venue_seats_human_order ON venue_seats (tenant_id, venue_id, sort_key);

CREATE TABLE bookings (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    booking_number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    event_id UUID NOT NULL,
    status TEXT DEFAULT 'RESERVED' NOT NULL,
    payment_status TEXT DEFAULT 'PENDING' NOT NULL,
    cancellation_reason TEXT,
    reserved_until TIMESTAMP WITH TIME ZONE NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE NOT NULL,
    ticket_count INTEGER DEFAULT '0' NOT NULL,
    currency TEXT NOT NULL,
    subtotal NUMERIC(14, 2) NOT NULL,
    discount_amount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    service_fee NUMERIC(14, 2) NOT NULL,
    tax_amount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    cancellation_charge NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    total_amount NUMERIC(14, 2) NOT NULL,
    paid NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    refunded NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    policy JSONB NOT NULL,
    created_by TEXT NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_bookings PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_bookings_tenant_id_customer_id FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT fk_bookings_tenant_id_event_id FOREIGN KEY(tenant_id, event_id) REFERENCES events (tenant_id, id),
    CONSTRAINT uq_bookings_tenant_id_booking_number UNIQUE (tenant_id, booking_number),
    CONSTRAINT ck_bookings_status CHECK (status IN ('RESERVED', 'CONFIRMED', 'CANCELLED', 'REFUNDED')),
    CONSTRAINT ck_bookings_payment_status CHECK (payment_status IN ('PENDING','PROCESSING','COMPLETED','FAILED','PARTIALLY_REFUNDED','REFUNDED')),
    CONSTRAINT ck_bookings_never_refunded_more_than_paid CHECK (refunded <= paid)
);

CREATE INDEX ix_bookings_customer_id ON bookings (tenant_id, customer_id);

CREATE INDEX ix_bookings_due ON bookings (held_until) WHERE status = 'RESERVED';

CREATE INDEX ix_bookings_event_id ON bookings (tenant_id, event_id);

CREATE TABLE event_seats (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    venue_seat_id UUID NOT NULL,
    section TEXT NOT NULL,
    row_label TEXT NOT NULL,
    seat_number TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    ownership_status TEXT DEFAULT 'NOT_OWNED' NOT NULL,
    status TEXT DEFAULT 'AVAILABLE' NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE,
    supplier_id UUID,
    purchase_order_id UUID,
    purchase_order_line_id UUID,
    receipt_id UUID,
    purchase_price NUMERIC(14, 4),
    cost NUMERIC(14, 2),
    retail_price NUMERIC(14, 2),
    written_off BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_event_seats PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_event_seats_tenant_id_event_id FOREIGN KEY(tenant_id, event_id) REFERENCES events (tenant_id, id),
    CONSTRAINT fk_event_seats_tenant_id_venue_seat_id FOREIGN KEY(tenant_id, venue_seat_id) REFERENCES venue_seats (tenant_id, id),
    CONSTRAINT fk_event_seats_tenant_id_supplier_id FOREIGN KEY(tenant_id, supplier_id) REFERENCES suppliers (tenant_id, id),
    CONSTRAINT fk_event_seats_tenant_id_purchase_order_id FOREIGN KEY(tenant_id, purchase_order_id) REFERENCES purchase_orders (tenant_id, id),
    CONSTRAINT uq_event_seats_tenant_id_event_id_section_row_label_seat_number UNIQUE (tenant_id, event_id, section, row_label, seat_number),
    CONSTRAINT ck_event_seats_ownership_status CHECK (ownership_status IN ('NOT_OWNED', 'OWNED', 'RETURNED_TO_SUPPLIER')),
    CONSTRAINT ck_event_seats_status CHECK (status IN ('AVAILABLE', 'HELD', 'RESERVED', 'SOLD', 'BLOCKED')),
    CONSTRAINT ck_event_seats_sold_is_owned CHECK (status NOT IN ('RESERVED', 'SOLD') OR ownership_status = 'OWNED'),
    CONSTRAINT ck_event_seats_reserved_has_an_end CHECK ((status = 'RESERVED') = (held_until IS NOT NULL)),
    CONSTRAINT ck_event_seats_owned_has_a_cost CHECK (ownership_status = 'NOT_OWNED' OR (cost IS NOT NULL AND supplier_id IS NOT NULL))
)
 WITH (fillfactor = 80);

CREATE INDEX ix_event_seats_human_order ON event_seats (tenant_id, event_id, sort_key);

CREATE INDEX ix_event_seats_order ON event_seats (tenant_id, purchase_order_id);

CREATE TABLE purchase_order_lines (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    purchase_order_id UUID NOT NULL,
    line_number INTEGER DEFAULT '0' NOT NULL,
    event_id UUID NOT NULL,
    description TEXT NOT NULL,
    quantity INTEGER DEFAULT '0' NOT NULL,
    unit_price NUMERIC(14, 4) NOT NULL,
    retail_price NUMERIC(14, 2),
    seats TEXT[] DEFAULT '{}' NOT NULL,
    line_total NUMERIC(14, 2) NOT NULL,
    confirmed_quantity INTEGER DEFAULT '0' NOT NULL,
    received_quantity INTEGER DEFAULT '0' NOT NULL,
    rejected_quantity INTEGER DEFAULT '0' NOT NULL,
    cancelled_quantity INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_purchase_order_lines PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_purchase_order_lines_tenant_id_purchase_order_id FOREIGN KEY(tenant_id, purchase_order_id) REFERENCES purchase_orders (tenant_id, id),
    CONSTRAINT fk_purchase_order_lines_tenant_id_event_id FOREIGN KEY(tenant_id, event_id) REFERENCES events (tenant_id, id),
    CONSTRAINT uq_purchase_order_lines_tenant_id_purchase_order_id_line_number UNIQUE (tenant_id, purchase_order_id, line_number),
    CONSTRAINT ck_purchase_order_lines_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT ck_purchase_order_lines_price_is_not_negative CHECK (unit_price >= 0),
    CONSTRAINT ck_purchase_order_lines_confirmed_within_ordered CHECK (confirmed_quantity BETWEEN 0 AND quantity),
    CONSTRAINT ck_purchase_order_lines_received_within_confirmed CHECK (received_quantity >= 0 AND cancelled_quantity >= 0 AND rejected_quantity >= 0 AND received_quantity + cancelled_quantity <= GREATEST(confirmed_quantity, CASE WHEN received_quantity = 0 THEN quantity ELSE 0 END))
);

CREATE INDEX ix_purchase_order_lines_event_id ON purchase_order_lines (tenant_id, event_id);

CREATE TABLE receipts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    receipt_number TEXT NOT NULL,
    purchase_order_id UUID NOT NULL,
    supplier_id UUID NOT NULL,
    delivery_reference TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_by TEXT NOT NULL,
    seat_count INTEGER DEFAULT '0' NOT NULL,
    total_amount NUMERIC(14, 2) NOT NULL,
    operation_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_receipts_tenant_id_purchase_order_id FOREIGN KEY(tenant_id, purchase_order_id) REFERENCES purchase_orders (tenant_id, id),
    CONSTRAINT fk_receipts_tenant_id_supplier_id FOREIGN KEY(tenant_id, supplier_id) REFERENCES suppliers (tenant_id, id),
    CONSTRAINT uq_receipts_tenant_id_receipt_number UNIQUE (tenant_id, receipt_number),
    CONSTRAINT uq_receipts_tenant_id_purchase_order_id_delivery_reference UNIQUE (tenant_id, purchase_order_id, delivery_reference)
);

CREATE TABLE supplier_payments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    supplier_id UUID NOT NULL,
    purchase_order_id UUID,
    amount NUMERIC(14, 2) NOT NULL,
    advance_amount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    advance_used NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    currency TEXT NOT NULL,
    method TEXT NOT NULL,
    reference TEXT NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_by TEXT NOT NULL,
    operation_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_supplier_payments PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_supplier_payments_tenant_id_supplier_id FOREIGN KEY(tenant_id, supplier_id) REFERENCES suppliers (tenant_id, id),
    CONSTRAINT fk_supplier_payments_tenant_id_purchase_order_id FOREIGN KEY(tenant_id, purchase_order_id) REFERENCES purchase_orders (tenant_id, id),
    CONSTRAINT uq_supplier_payments_tenant_id_operation_id UNIQUE (tenant_id, operation_id),
    CONSTRAINT ck_supplier_payments_amount_is_positive CHECK (amount > 0),
    CONSTRAINT ck_supplier_payments_advance_not_overused CHECK (advance_used BETWEEN 0 AND advance_amount),
    CONSTRAINT ck_supplier_payments_advance_within_payment CHECK (advance_amount BETWEEN 0 AND amount)
);

CREATE INDEX ix_supplier_payments_purchase_order_id ON supplier_payments (tenant_id, purchase_order_id);

CREATE TABLE bills (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    supplier_id UUID NOT NULL,
    purchase_order_id UUID NOT NULL,
    receipt_id UUID NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    settled_amount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    open_amount NUMERIC(14, 2) GENERATED ALWAYS AS (amount - settled_amount) STORED NOT NULL,
    status TEXT GENERATED ALWAYS AS (CASE WHEN settled_amount >= amount THEN 'PAID' WHEN settled_amount > 0 THEN 'PARTIALLY_PAID' ELSE 'OPEN' END) STORED NOT NULL,
    currency TEXT NOT NULL,
    bill_date DATE NOT NULL,
    due_date DATE NOT NULL,
    terms TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_bills PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_bills_tenant_id_supplier_id FOREIGN KEY(tenant_id, supplier_id) REFERENCES suppliers (tenant_id, id),
    CONSTRAINT fk_bills_tenant_id_purchase_order_id FOREIGN KEY(tenant_id, purchase_order_id) REFERENCES purchase_orders (tenant_id, id),
    CONSTRAINT fk_bills_tenant_id_receipt_id FOREIGN KEY(tenant_id, receipt_id) REFERENCES receipts (tenant_id, id),
    CONSTRAINT uq_bills_tenant_id_number UNIQUE (tenant_id, number),
    CONSTRAINT uq_bills_tenant_id_receipt_id UNIQUE (tenant_id, receipt_id),
    CONSTRAINT ck_bills_never_overpaid CHECK (settled_amount BETWEEN 0 AND amount)
);

CREATE INDEX ix_bills_purchase_order_id ON bills (tenant_id, purchase_order_id);

CREATE INDEX ix_bills_supplier_id ON bills (tenant_id, supplier_id, due_date);

CREATE TABLE cancellations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    booking_id UUID NOT NULL,
    operation_id UUID NOT NULL,
    reason TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    refund_total NUMERIC(14, 2) NOT NULL,
    fee_refund NUMERIC(14, 2) NOT NULL,
    executed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_cancellations PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_cancellations_tenant_id_booking_id FOREIGN KEY(tenant_id, booking_id) REFERENCES bookings (tenant_id, id),
    CONSTRAINT uq_cancellations_tenant_id_operation_id UNIQUE (tenant_id, operation_id)
);

CREATE TABLE payments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    booking_id UUID NOT NULL,
    operation_id UUID NOT NULL,
    status TEXT DEFAULT 'PROCESSING' NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    currency TEXT NOT NULL,
    method TEXT NOT NULL,
    provider TEXT NOT NULL,
    token TEXT,
    provider_transaction_id TEXT,
    failure_reason TEXT,
    refunded_amount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    captured_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payments PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_payments_tenant_id_booking_id FOREIGN KEY(tenant_id, booking_id) REFERENCES bookings (tenant_id, id),
    CONSTRAINT uq_payments_tenant_id_operation_id UNIQUE (tenant_id, operation_id),
    CONSTRAINT ck_payments_status CHECK (status IN ('PROCESSING', 'COMPLETED', 'FAILED')),
    CONSTRAINT ck_payments_amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT ck_payments_never_refunded_more_than_paid CHECK (refunded_amount BETWEEN 0 AND amount)
);

CREATE INDEX ix_payments_booking_id ON payments (tenant_id, booking_id);

CREATE UNIQUE INDEX uq_payments_in_flight ON payments (tenant_id, booking_id) WHERE status = 'PROCESSING';

CREATE TABLE quotes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    booking_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    lines JSONB NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_quotes PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_quotes_tenant_id_booking_id FOREIGN KEY(tenant_id, booking_id) REFERENCES bookings (tenant_id, id)
);

CREATE TABLE receipt_lines (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    receipt_id UUID NOT NULL,
    line_id UUID NOT NULL,
    event_id UUID NOT NULL,
    quantity INTEGER DEFAULT '0' NOT NULL,
    unit_price NUMERIC(14, 4) NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    ordered_quantity INTEGER DEFAULT '0' NOT NULL,
    received_before INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_receipt_lines PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_receipt_lines_tenant_id_receipt_id FOREIGN KEY(tenant_id, receipt_id) REFERENCES receipts (tenant_id, id),
    CONSTRAINT fk_receipt_lines_tenant_id_line_id FOREIGN KEY(tenant_id, line_id) REFERENCES purchase_order_lines (tenant_id, id),
    CONSTRAINT uq_receipt_lines_tenant_id_receipt_id_line_id UNIQUE (tenant_id, receipt_id, line_id)
);

CREATE TABLE receipt_seats (
    tenant_id UUID NOT NULL,
    receipt_id UUID NOT NULL,
    line_id UUID NOT NULL,
    event_seat_id UUID NOT NULL,
    cost NUMERIC(14, 2) NOT NULL,
    CONSTRAINT pk_receipt_seats PRIMARY KEY (tenant_id, receipt_id, event_seat_id),
    CONSTRAINT fk_receipt_seats_tenant_id_receipt_id FOREIGN KEY(tenant_id, receipt_id) REFERENCES receipts (tenant_id, id),
    CONSTRAINT fk_receipt_seats_tenant_id_event_seat_id FOREIGN KEY(tenant_id, event_seat_id) REFERENCES event_seats (tenant_id, id)
);

CREATE TABLE tickets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    ticket_number TEXT NOT NULL,
    booking_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_seat_id UUID NOT NULL,
    position INTEGER NOT NULL,
    status TEXT DEFAULT 'RESERVED' NOT NULL,
    price NUMERIC(14, 2) NOT NULL,
    discount NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    fee NUMERIC(14, 2) NOT NULL,
    tax NUMERIC(14, 2) DEFAULT '0' NOT NULL,
    barcode TEXT NOT NULL,
    supplier_id UUID,
    cost NUMERIC(14, 2),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tickets PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_tickets_tenant_id_booking_id FOREIGN KEY(tenant_id, booking_id) REFERENCES bookings (tenant_id, id),
    CONSTRAINT fk_tickets_tenant_id_event_seat_id FOREIGN KEY(tenant_id, event_seat_id) REFERENCES event_seats (tenant_id, id),
    CONSTRAINT uq_tickets_tenant_id_ticket_number UNIQUE (tenant_id, ticket_number),
    CONSTRAINT uq_tickets_barcode UNIQUE (barcode),
    CONSTRAINT ck_tickets_status CHECK (status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED', 'CANCELLED'))
);

CREATE INDEX ix_tickets_booking_id ON tickets (tenant_id, booking_id);

CREATE UNIQUE INDEX uq_tickets_live_seat ON tickets (tenant_id, event_seat_id) WHERE status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED');

CREATE TABLE bill_settlements (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    bill_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    source TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bill_settlements PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_bill_settlements_tenant_id_bill_id FOREIGN KEY(tenant_id, bill_id) REFERENCES bills (tenant_id, id),
    CONSTRAINT fk_bill_settlements_tenant_id_payment_id FOREIGN KEY(tenant_id, payment_id) REFERENCES supplier_payments (tenant_id, id),
    CONSTRAINT ck_bill_settlements_amount_is_positive CHECK (amount > 0),
    CONSTRAINT ck_bill_settlements_source CHECK (source IN ('PAYMENT', 'ADVANCE'))
);

CREATE INDEX ix_bill_settlements_bill_id ON bill_settlements (tenant_id, bill_id);

CREATE TABLE refunds (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    refund_number TEXT NOT NULL,
    booking_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    cancellation_id UUID,
    attempt INTEGER DEFAULT '1' NOT NULL,
    status TEXT DEFAULT 'REQUESTED' NOT NULL,
    cause TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    provider_refund_id TEXT,
    failure_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refunds PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_refunds_tenant_id_booking_id FOREIGN KEY(tenant_id, booking_id) REFERENCES bookings (tenant_id, id),
    CONSTRAINT fk_refunds_tenant_id_payment_id FOREIGN KEY(tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    CONSTRAINT ck_refunds_status CHECK (status IN ('REQUESTED', 'SUBMITTED', 'SETTLED', 'FAILED', 'ESCALATED')),
    CONSTRAINT ck_refunds_amount_is_positive CHECK (amount > 0),
    CONSTRAINT uq_refunds_tenant_id_cause_attempt UNIQUE (tenant_id, cause, attempt)
);

CREATE INDEX ix_refunds_booking_id ON refunds (tenant_id, booking_id);
