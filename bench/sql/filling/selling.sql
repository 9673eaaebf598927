-- A part of the bookings, oldest first: four seats side by side, reserved, paid, confirmed; booking n is of show n % events.

CREATE TEMP TABLE sold ON COMMIT DROP AS
SELECT g.n, s.event, s.event_id, s.supplier_id, s.cost, s.bought_at AS seats_at, k.first_place, p.section, p.price,
    p.price / 10 AS fee, 4 * p.price AS subtotal, 4 * p.price / 10 AS service_fee, 4.4 * p.price AS total,
    g.n % 51 = 50 AS cancelled, t.at, t.at + interval '40 ms' AS confirmed_at, t.at + interval '60 ms' AS captured_at,
    (t.at AT TIME ZONE f.timezone)::date AS day,
    pg_temp.made(30, g.n / 4, f.begins) AS customer_id, pg_temp.made(31, g.n, t.at) AS booking_id,
    pg_temp.made(32, g.n, t.at) AS payment_id, pg_temp.made(33, g.n, t.at) AS sale_id, pg_temp.made(34, g.n, t.at) AS capture_id,
    pg_temp.made(35, g.n, t.at) AS paper_id, pg_temp.numbered('BK', f.year, f.booking + g.n) AS booking_number
FROM facts f CROSS JOIN part CROSS JOIN generate_series(part.first, part.last) AS g(n)
JOIN shows s ON s.event = g.n % f.events
CROSS JOIN LATERAL (SELECT (g.n / f.events)::integer * 4 AS first_place) AS k
JOIN places p ON p.hall = s.hall AND p.place = k.first_place
CROSS JOIN LATERAL (SELECT f.begins + g.n * f.step * interval '1 second' AS at) AS t
ORDER BY g.n;
ANALYZE sold;

CREATE TEMP TABLE admissions ON COMMIT DROP AS
SELECT b.n, q.position, pg_temp.made(36, b.n * 4 + q.position, b.at) AS ticket_id,
    pg_temp.made(4, b.event * 1000000::bigint + b.first_place + q.position, b.seats_at) AS seat_id
FROM sold b CROSS JOIN generate_series(0, 3) AS q(position) ORDER BY b.n, q.position;
ANALYZE admissions;

INSERT INTO customers (tenant_id, id, name, email, customer_type, created_at)
SELECT f.tenant, b.customer_id, 'Customer ' || b.n / 4, 'customer.' || b.n / 4 || '@example.org', 'INDIVIDUAL', b.at
FROM sold b, facts f WHERE b.n % 4 = 0;

INSERT INTO bookings (tenant_id, id, booking_number, customer_id, event_id, status, payment_status, cancellation_reason,
    reserved_until, held_until, ticket_count, currency, subtotal, service_fee, total_amount, paid, refunded, policy, created_by,
    version, created_at, confirmed_at, cancelled_at)
SELECT f.tenant, booking_id, booking_number, customer_id, event_id, CASE WHEN cancelled THEN 'REFUNDED' ELSE 'CONFIRMED' END,
    CASE WHEN cancelled THEN 'PARTIALLY_REFUNDED' ELSE 'COMPLETED' END, CASE WHEN cancelled THEN 'CUSTOMER_REQUEST' END,
    at + interval '15 min', at + interval '17 min', CASE WHEN cancelled THEN 0 ELSE 4 END, f.currency,
    CASE WHEN cancelled THEN 0 ELSE subtotal END, service_fee, CASE WHEN cancelled THEN service_fee ELSE total END, total,
    CASE WHEN cancelled THEN subtotal ELSE 0 END, '{"fee_percent": "0", "price_percent": "100", "hours_before_start": 0}',
    'box office', CASE WHEN cancelled THEN 8 ELSE 5 END, at, confirmed_at, CASE WHEN cancelled THEN at + interval '2 min' END
FROM sold, facts f;

INSERT INTO tickets (tenant_id, id, ticket_number, booking_id, event_id, event_seat_id, position, status, price, fee, barcode,
    supplier_id, cost, created_at, confirmed_at, cancelled_at)
SELECT f.tenant, a.ticket_id, pg_temp.numbered('TK', f.year, f.ticket + b.n * 4 + a.position), b.booking_id, b.event_id, a.seat_id,
    a.position + 1, CASE WHEN b.cancelled THEN 'CANCELLED' ELSE 'CONFIRMED' END, b.price, b.fee,
    pg_temp.code_of(hashint8extended(b.n * 4 + a.position, f.salt) & 281474976710655, b.n * 4 + a.position), b.supplier_id, b.cost,
    b.at, b.confirmed_at, CASE WHEN b.cancelled THEN b.at + interval '2 min' END
FROM admissions a JOIN sold b USING (n), facts f;

INSERT INTO payments (tenant_id, id, booking_id, operation_id, status, amount, currency, method, provider,
    provider_transaction_id, refunded_amount, created_at, captured_at, ended_at)
SELECT f.tenant, payment_id, booking_id, payment_id, 'COMPLETED', total, f.currency, 'CREDIT_CARD', 'simulated',
    'ch_' || substr(md5(payment_id::text), 1, 24), CASE WHEN cancelled THEN subtotal ELSE 0 END, at, captured_at, captured_at
FROM sold, facts f;

INSERT INTO operations (tenant_id, id, kind, status, progress_done, progress_total, subject_object, subject_id, subject_number,
    payload, result, requested_by, created_at, ended_at)
SELECT f.tenant, payment_id, 'payment.process', 'succeeded', 1, 1, 'booking', booking_id, booking_number,
    jsonb_build_object('booking_id', booking_id), jsonb_build_object('status', 'COMPLETED', 'booking_id', booking_id, 'payment_id',
    payment_id), 'box office', at, captured_at
FROM sold, facts f;

INSERT INTO documents (tenant_id, id, kind, key, subject_id, filename, media_type, storage_key, size, created_at, stored_at)
SELECT f.tenant, paper_id, 'tickets', 'tickets/' || booking_id || '/4/3', booking_id, booking_number || '-tickets.pdf',
    'application/pdf', md5(booking_id::text) || '.pdf', 30000, captured_at, captured_at + interval '1 s'
FROM sold, facts f;

INSERT INTO outbox (tenant_id, id, kind, key, payload, attempts, next_at, delivered_at, created_at)
SELECT f.tenant, pg_temp.made(o.kind, n, at), o.how, o.key, o.payload, 1, at, at, at
FROM sold, facts f, LATERAL (VALUES
    (37, 'START', 'start booking/' || booking_id, jsonb_build_object('process', 'Booking', 'argument', jsonb_build_object(
        'tenant_id', f.tenant, 'booking_id', booking_id, 'reserved_until', at + interval '15 min'), 'process_id',
        'booking/' || booking_id, 'starts_at', at + interval '15 min')),
    (38, 'UPDATE', 'update ' || payment_id, jsonb_build_object('verb', 'pay', 'process', 'Booking', 'argument', jsonb_build_object(
        'tenant_id', f.tenant, 'booking_id', booking_id, 'reserved_until', at + interval '15 min'), 'process_id',
        'booking/' || booking_id, 'operation_id', payment_id, 'starts_at', at + interval '15 min')),
    (39, 'PAPER', 'paper ' || paper_id, jsonb_build_object('document_id', paper_id)),
    (40, 'MAIL', 'mail booking_confirmed/' || booking_id, jsonb_build_object('to', 'customer.' || n / 4 || '@example.org',
        'letter', 'booking_confirmed', 'documents', jsonb_build_array(paper_id), 'subject_id', booking_id))
) AS o(kind, how, key, payload);

INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, by, currency, occurred_at, effective_at,
    accounting_date, recorded_at)
SELECT f.tenant, e.id, e.kind, e.key, 'booking', booking_id, 'box office', f.currency, e.at, e.at,
    (e.at AT TIME ZONE f.timezone)::date, e.at + interval '3 ms'
FROM sold b, facts f, LATERAL (VALUES (1, sale_id, 'SALE', 'sale/' || payment_id, confirmed_at),
    (2, capture_id, 'CAPTURED', 'captured/' || payment_id, captured_at)) AS e(step, id, kind, key, at) ORDER BY b.n, e.step;

INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id, supplier_id, section,
    effective_at, accounting_date, recorded_at)
SELECT f.tenant, l.id, l.leg, l.kind, l.account, f.currency, l.amount, l.quantity, l.event, l.supplier, l.section, l.at,
    (l.at AT TIME ZONE f.timezone)::date, l.at + interval '3 ms'
FROM sold b, facts f, LATERAL (VALUES
    (1, sale_id, 'SALE', '1110', total, 0, NULL, NULL, NULL, confirmed_at),
    (2, sale_id, 'SALE', '1200', -4 * cost, -4, event_id, supplier_id, section, confirmed_at),
    (3, sale_id, 'SALE', '4000', -subtotal, 4, event_id, supplier_id, section, confirmed_at),
    (4, sale_id, 'SALE', '4100', -service_fee, 0, event_id, supplier_id, section, confirmed_at),
    (5, sale_id, 'SALE', '5000', 4 * cost, 4, event_id, supplier_id, section, confirmed_at),
    (1, capture_id, 'CAPTURED', '1100', total, 0, NULL, NULL, NULL, captured_at),
    (2, capture_id, 'CAPTURED', '1110', -total, 0, NULL, NULL, NULL, captured_at)
) AS l(leg, id, kind, account, amount, quantity, event, supplier, section, at) ORDER BY b.n, l.at, l.leg;

INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id, section)
SELECT f.tenant, b.sale_id, a.seat_id, m.account, m.quantity, b.cost, b.event_id, b.supplier_id, b.section
FROM admissions a JOIN sold b USING (n), facts f, (VALUES ('1200', -1), ('5000', 1)) AS m(account, quantity);

INSERT INTO history (tenant_id, object, subject_id, at, by, from_status, to_status, reason, operation_id)
SELECT f.tenant, h.object, h.subject, h.at, 'box office', h.before, h.after, h.reason, h.operation
FROM facts f, (
    SELECT b.n, s.step, s.object, s.subject, s.at, s.before, s.after, NULL AS reason, s.operation
    FROM sold b, LATERAL (VALUES
        (1, 'booking', booking_id, at, NULL, 'RESERVED', NULL),
        (4, 'payment', payment_id, at, NULL, 'PROCESSING', payment_id),
        (5, 'booking', booking_id, at, 'payment PENDING', 'payment PROCESSING', NULL),
        (6, 'booking', booking_id, confirmed_at, 'RESERVED', 'CONFIRMED', NULL),
        (9, 'payment', payment_id, captured_at, 'PROCESSING', 'COMPLETED', payment_id),
        (10, 'booking', booking_id, captured_at, 'payment PROCESSING', 'payment COMPLETED', NULL)
    ) AS s(step, object, subject, at, before, after, operation)
    UNION ALL
    SELECT a.n, s.step, s.object, s.subject, s.at, s.before, s.after, s.reason, NULL
    FROM admissions a JOIN sold b USING (n), LATERAL (VALUES
        (2, 'ticket', ticket_id, b.at, NULL, 'RESERVED', NULL),
        (3, 'event_seat', seat_id, b.at, 'AVAILABLE', 'RESERVED', b.booking_number),
        (7, 'ticket', ticket_id, b.confirmed_at, 'RESERVED', 'CONFIRMED', NULL),
        (8, 'event_seat', seat_id, b.confirmed_at, 'RESERVED', 'SOLD', b.booking_number)
    ) AS s(step, object, subject, at, before, after, reason)
) AS h ORDER BY h.n, h.step;
