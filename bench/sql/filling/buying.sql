-- The orders of a part of the shows: submitted, confirmed, delivered whole, billed, every other one paid.

CREATE TEMP TABLE bought ON COMMIT DROP AS
SELECT s.*, s.seats * s.cost AS amount, s.event % 2 = 0 AS paid, s.bought_at + interval '3 days' AS paid_at,
    pg_temp.made(6, s.event, s.bought_at) AS order_id, pg_temp.made(7, s.event, s.bought_at) AS line_id,
    pg_temp.made(8, s.event, s.bought_at) AS receipt_id, pg_temp.made(9, s.event, s.bought_at) AS bill_id,
    pg_temp.made(10, s.event, s.bought_at) AS delivery_id, pg_temp.made(11, s.event, s.bought_at) AS drafted_id,
    pg_temp.made(12, s.event, s.bought_at) AS payment_id, pg_temp.made(13, s.event, s.bought_at) AS paid_id,
    pg_temp.made(14, s.event, s.bought_at) AS pay_operation_id, pg_temp.made(15, s.event, s.bought_at) AS submit_id,
    pg_temp.made(16, s.event, s.bought_at) AS confirm_id, pg_temp.made(17, s.event, s.bought_at) AS paper_id,
    pg_temp.numbered('PO', f.year, f.po + s.event) AS po_number, pg_temp.numbered('GRN', f.year, f.grn + s.event) AS receipt_number,
    pg_temp.numbered('BILL', f.year, f.bill + s.event) AS bill_number
FROM shows s, facts f, part WHERE s.event BETWEEN part.first AND part.last;

INSERT INTO purchase_orders (tenant_id, id, po_number, supplier_id, fulfillment_method, currency, payment_terms,
    supplier_reference, total_amount, version, created_by, created_at, submitted_at, confirmed_at)
SELECT f.tenant, order_id, po_number, supplier_id, 'PDF_DELIVERY', f.currency, 'NET_30', 'AB-' || event, amount, 4, f.by,
    bought_at, bought_at, bought_at FROM bought, facts f;

INSERT INTO purchase_order_lines (tenant_id, id, purchase_order_id, line_number, event_id, description, quantity, unit_price,
    retail_price, line_total, confirmed_quantity, received_quantity)
SELECT f.tenant, line_id, order_id, 1, event_id, 'Seats', seats, cost, 35, amount, seats, seats FROM bought, facts f;

INSERT INTO operations (tenant_id, id, kind, status, progress_done, progress_total, progress_unit, subject_object, subject_id,
    subject_number, payload, result, requested_by, created_at, ended_at)
SELECT f.tenant, o.id, 'purchase_order.' || o.verb, 'succeeded', o.steps, o.steps, o.unit, 'purchase_order', order_id, po_number,
    '{}', jsonb_build_object('purchase_order_id', order_id), f.by, o.at, o.at
FROM bought, facts f, LATERAL (VALUES ('submit', submit_id, 1, 'steps', bought_at, true),
    ('confirm', confirm_id, 1, 'steps', bought_at, true), ('receive', receipt_id, seats, 'seats', bought_at, true),
    ('pay', pay_operation_id, 1, 'steps', paid_at, paid)) AS o(verb, id, steps, unit, at, made) WHERE o.made;

INSERT INTO outbox (tenant_id, id, kind, key, payload, attempts, next_at, delivered_at, created_at)
SELECT f.tenant, pg_temp.made(o.kind, event, bought_at), o.how, o.key, o.payload, 1, o.at, o.at, o.at
FROM bought, facts f, LATERAL (VALUES
    (18, 'UPDATE', 'update ' || submit_id, jsonb_build_object('verb', 'submit', 'process', 'PurchaseOrder', 'process_id',
        'purchase-order/' || order_id, 'operation_id', submit_id), bought_at, true),
    (19, 'UPDATE', 'update ' || confirm_id, jsonb_build_object('verb', 'confirm', 'process', 'PurchaseOrder', 'process_id',
        'purchase-order/' || order_id, 'operation_id', confirm_id), bought_at, true),
    (20, 'UPDATE', 'update ' || receipt_id, jsonb_build_object('verb', 'receive', 'process', 'PurchaseOrder', 'process_id',
        'purchase-order/' || order_id, 'operation_id', receipt_id), bought_at, true),
    (21, 'START', 'start supplier-payment/' || pay_operation_id, jsonb_build_object('process', 'SupplierPayment', 'process_id',
        'supplier-payment/' || pay_operation_id), paid_at, paid)) AS o(kind, how, key, payload, at, made) WHERE o.made;

INSERT INTO documents (tenant_id, id, kind, key, subject_id, filename, media_type, storage_key, size, created_at, stored_at)
SELECT f.tenant, paper_id, 'receipt', 'receipt/' || receipt_id, receipt_id, receipt_number || '.pdf', 'application/pdf',
    md5(receipt_id::text) || '.pdf', 20000, bought_at, bought_at FROM bought, facts f;

INSERT INTO receipts (tenant_id, id, receipt_number, purchase_order_id, supplier_id, delivery_reference, content_hash,
    delivered_at, received_by, seat_count, total_amount, operation_id, created_at)
SELECT f.tenant, receipt_id, receipt_number, order_id, supplier_id, 'LS-' || event, md5(receipt_number), bought_at, f.by, seats, amount, receipt_id,
    bought_at FROM bought, facts f;

INSERT INTO receipt_lines (tenant_id, id, receipt_id, line_id, event_id, quantity, unit_price, amount, ordered_quantity)
SELECT f.tenant, pg_temp.made(22, event, bought_at), receipt_id, line_id, event_id, seats, cost, amount, seats
FROM bought, facts f;

INSERT INTO bills (tenant_id, id, number, supplier_id, purchase_order_id, receipt_id, amount, settled_amount, currency,
    bill_date, due_date, terms, created_at)
SELECT f.tenant, bill_id, bill_number, supplier_id, order_id, receipt_id, amount, CASE WHEN paid THEN amount ELSE 0 END,
    f.currency, (bought_at AT TIME ZONE f.timezone)::date, (bought_at AT TIME ZONE f.timezone)::date + 30, 'NET_30', bought_at
FROM bought, facts f;

INSERT INTO supplier_payments (tenant_id, id, number, supplier_id, purchase_order_id, amount, currency, method, reference,
    paid_at, paid_by, operation_id, created_at)
SELECT f.tenant, payment_id, pg_temp.numbered('PAY', f.year, f.pay + event), supplier_id, order_id, amount, f.currency,
    'BANK_TRANSFER', 'SEPA-' || event, paid_at, f.by, pay_operation_id, paid_at FROM bought, facts f WHERE paid;

INSERT INTO bill_settlements (tenant_id, id, bill_id, payment_id, source, amount, settled_at)
SELECT f.tenant, pg_temp.made(23, event, paid_at), bill_id, payment_id, 'PAYMENT', amount, paid_at FROM bought, facts f WHERE paid;

INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, by, currency, occurred_at, effective_at,
    accounting_date, recorded_at)
SELECT f.tenant, e.id, e.kind, e.key, e.object, e.subject, f.by, f.currency, e.at, e.at, (e.at AT TIME ZONE f.timezone)::date, e.at
FROM bought, facts f, LATERAL (VALUES
    (delivery_id, 'DELIVERY', 'receipt ' || receipt_id, 'receipt', receipt_id, bought_at, true),
    (drafted_id, 'BILL_DRAFTED', 'bill ' || bill_id, 'bill', bill_id, bought_at, true),
    (paid_id, 'BILL_PAID', 'supplier payment ' || payment_id || ' bills', 'supplier_payment', payment_id, paid_at, paid)
) AS e(id, kind, key, object, subject, at, made) WHERE e.made;

INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id, supplier_id, section,
    effective_at, accounting_date, recorded_at)
SELECT f.tenant, e.id, e.leg, e.kind, e.account, f.currency, e.amount, e.quantity, e.event_id, e.supplier_id, e.section, e.at,
    (e.at AT TIME ZONE f.timezone)::date, e.at
FROM facts f, (
    SELECT b.delivery_id AS id, row_number() OVER (PARTITION BY b.event ORDER BY p.section) AS leg, 'DELIVERY' AS kind,
        '1200' AS account, b.cost * count(*) AS amount, count(*) AS quantity, b.event_id, b.supplier_id, p.section, b.bought_at AS at
    FROM bought b JOIN places p ON p.hall = b.hall
    GROUP BY b.event, b.delivery_id, b.cost, b.event_id, b.supplier_id, b.bought_at, p.section
    UNION ALL
    SELECT l.id, l.leg, l.kind, l.account, l.amount, 0, NULL, l.supplier, NULL, l.at
    FROM bought b, LATERAL (VALUES
        (delivery_id, 1000, 'DELIVERY', '2110', -amount, supplier_id, bought_at, true),
        (drafted_id, 1, 'BILL_DRAFTED', '2100', -amount, supplier_id, bought_at, true),
        (drafted_id, 2, 'BILL_DRAFTED', '2110', amount, supplier_id, bought_at, true),
        (paid_id, 1, 'BILL_PAID', '1000', -amount, NULL, paid_at, paid),
        (paid_id, 2, 'BILL_PAID', '2100', amount, supplier_id, paid_at, paid)
    ) AS l(id, leg, kind, account, amount, supplier, at, made) WHERE l.made
) AS e;

INSERT INTO history (tenant_id, object, subject_id, at, by, from_status, to_status, reason, operation_id)
SELECT f.tenant, h.object, h.subject, h.at, f.by, h.before, h.after, h.reason, h.operation
FROM bought b, facts f, LATERAL (VALUES
    (1, 'purchase_order', order_id, bought_at, NULL, 'DRAFT', NULL, NULL, true),
    (2, 'purchase_order', order_id, bought_at, 'DRAFT', 'PENDING', NULL, submit_id, true),
    (3, 'purchase_order', order_id, bought_at, 'PENDING', 'CONFIRMED', NULL, confirm_id, true),
    (4, 'bill', bill_id, bought_at, NULL, 'OPEN', 'LS-' || event, receipt_id, true),
    (5, 'purchase_order', order_id, bought_at, 'CONFIRMED', 'COMPLETED', receipt_number, receipt_id, true),
    (6, 'bill', bill_id, paid_at, 'OPEN', 'PAID', 'SEPA-' || event, pay_operation_id, paid)
) AS h(n, object, subject, at, before, after, reason, operation, made) WHERE h.made ORDER BY b.event, h.n;

-- A seat is written once, as its bookings will leave it.
CREATE TEMP TABLE seats ON COMMIT DROP AS
SELECT b.event, p.place, pg_temp.made(4, b.event * 1000000::bigint + p.place, b.bought_at) AS seat_id,
    pg_temp.made(2, p.hall * 1000000::bigint + p.place, f.opened_at) AS venue_seat_id, p.section, p.row_label, p.seat_number,
    p.sort_key, p.price, b.event < f.events AND n.booking < f.bookings AND n.booking % 51 <> 50 AS sold
FROM bought b JOIN places p ON p.hall = b.hall CROSS JOIN facts f,
    LATERAL (SELECT (p.place / 4)::bigint * f.events + b.event AS booking) AS n
ORDER BY b.event, p.place;
ANALYZE seats;

INSERT INTO event_seats (tenant_id, id, event_id, venue_seat_id, section, row_label, seat_number, sort_key, ownership_status,
    status, supplier_id, purchase_order_id, purchase_order_line_id, receipt_id, purchase_price, cost, retail_price)
SELECT f.tenant, s.seat_id, b.event_id, s.venue_seat_id, s.section, s.row_label, s.seat_number, s.sort_key, 'OWNED',
    CASE WHEN s.sold THEN 'SOLD' ELSE 'AVAILABLE' END, b.supplier_id, b.order_id, b.line_id, b.receipt_id, b.cost, b.cost, s.price
FROM seats s JOIN bought b USING (event), facts f;

INSERT INTO receipt_seats (tenant_id, receipt_id, line_id, event_seat_id, cost)
SELECT f.tenant, b.receipt_id, b.line_id, s.seat_id, b.cost FROM seats s JOIN bought b USING (event), facts f;

INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id, section)
SELECT f.tenant, b.delivery_id, s.seat_id, '1200', 1, b.cost, b.event_id, b.supplier_id, s.section
FROM seats s JOIN bought b USING (event), facts f;

INSERT INTO history (tenant_id, object, subject_id, at, by, from_status, to_status, reason, operation_id)
SELECT f.tenant, 'event_seat', s.seat_id, b.bought_at, f.by, 'NOT_OWNED', 'OWNED', b.receipt_number, b.receipt_id
FROM seats s JOIN bought b USING (event), facts f;
