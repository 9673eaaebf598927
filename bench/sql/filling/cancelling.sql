-- Of the part's bookings those that were given up whole two minutes later: price back, fee kept, refund settled.

CREATE TEMP TABLE gone ON COMMIT DROP AS
SELECT b.*, b.at + interval '2 min' AS gone_at, b.at + interval '2 min 1 s' AS settled_at,
    pg_temp.made(41, b.n, b.at + interval '2 min') AS cancellation_id, pg_temp.made(42, b.n, b.at + interval '2 min') AS refund_id,
    pg_temp.made(43, b.n, b.at + interval '2 min') AS gone_entry, pg_temp.made(44, b.n, b.at + interval '2 min') AS settled_entry
FROM sold b WHERE b.cancelled;

INSERT INTO operations (tenant_id, id, kind, status, progress_done, progress_total, progress_unit, subject_object, subject_id,
    subject_number, payload, result, requested_by, created_at, ended_at)
SELECT f.tenant, cancellation_id, 'booking.cancel', 'succeeded', 4, 4, 'tickets', 'booking', booking_id, booking_number,
    jsonb_build_object('reason', 'CUSTOMER_REQUEST'), jsonb_build_object('refund_id', refund_id, 'booking_id', booking_id),
    'box office', gone_at, settled_at
FROM gone, facts f;

INSERT INTO cancellations (tenant_id, id, booking_id, operation_id, reason, fingerprint, refund_total, fee_refund, executed_at,
    created_at)
SELECT f.tenant, cancellation_id, booking_id, cancellation_id, 'CUSTOMER_REQUEST', md5(cancellation_id::text), subtotal, 0,
    gone_at, gone_at
FROM gone, facts f;

INSERT INTO refunds (tenant_id, id, refund_number, booking_id, payment_id, cancellation_id, status, cause, amount, currency,
    reason, provider_refund_id, created_at, ended_at)
SELECT f.tenant, refund_id, pg_temp.numbered('RF', f.year, f.refund + n), booking_id, payment_id, cancellation_id, 'SETTLED',
    'cancellation/' || cancellation_id, subtotal, f.currency, 'CUSTOMER_REQUEST', 're_' || substr(md5(refund_id::text), 1, 24),
    gone_at, settled_at
FROM gone, facts f;

INSERT INTO outbox (tenant_id, id, kind, key, payload, attempts, next_at, delivered_at, created_at)
SELECT f.tenant, pg_temp.made(o.kind, n, gone_at), o.how, o.key, o.payload, 1, gone_at, gone_at, gone_at
FROM gone, facts f, LATERAL (VALUES
    (45, 'START', 'start cancellation/' || cancellation_id, jsonb_build_object('process', 'Cancellation', 'process_id',
        'cancellation/' || cancellation_id)),
    (46, 'MAIL', 'mail booking_cancelled/' || refund_id, jsonb_build_object('to', 'customer.' || n / 4 || '@example.org', 'letter',
        'booking_cancelled', 'documents', '[]'::jsonb, 'subject_id', refund_id))
) AS o(kind, how, key, payload);

INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, reason, by, currency, occurred_at,
    effective_at, accounting_date, recorded_at)
SELECT f.tenant, e.id, e.kind, e.key, 'booking', booking_id, e.reason, 'box office', f.currency, e.at, e.at,
    (e.at AT TIME ZONE f.timezone)::date, e.at + interval '3 ms'
FROM gone, facts f, LATERAL (VALUES
    (gone_entry, 'CANCELLATION', 'cancellation/' || cancellation_id, gone_at, 'CUSTOMER_REQUEST'),
    (settled_entry, 'REFUND_SETTLED', 'refund-settled/' || refund_id, settled_at, NULL)) AS e(id, kind, key, at, reason);

INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id, supplier_id, section,
    effective_at, accounting_date, recorded_at)
SELECT f.tenant, l.id, l.leg, l.kind, l.account, f.currency, l.amount, l.quantity, l.event, l.supplier, l.section, l.at,
    (l.at AT TIME ZONE f.timezone)::date, l.at + interval '3 ms'
FROM gone, facts f, LATERAL (VALUES
    (1, gone_entry, 'CANCELLATION', '1200', 4 * cost, 4, event_id, supplier_id, section, gone_at),
    (2, gone_entry, 'CANCELLATION', '2200', -subtotal, 0, NULL, NULL, NULL, gone_at),
    (3, gone_entry, 'CANCELLATION', '4090', subtotal, 4, event_id, supplier_id, section, gone_at),
    (4, gone_entry, 'CANCELLATION', '5000', -4 * cost, -4, event_id, supplier_id, section, gone_at),
    (1, settled_entry, 'REFUND_SETTLED', '1100', -subtotal, 0, NULL, NULL, NULL, settled_at),
    (2, settled_entry, 'REFUND_SETTLED', '2200', subtotal, 0, NULL, NULL, NULL, settled_at)
) AS l(leg, id, kind, account, amount, quantity, event, supplier, section, at);

INSERT INTO seat_movements (tenant_id, entry_id, event_seat_id, account, quantity, cost, event_id, supplier_id, section)
SELECT f.tenant, b.gone_entry, a.seat_id, m.account, m.quantity, b.cost, b.event_id, b.supplier_id, b.section
FROM admissions a JOIN gone b USING (n), facts f, (VALUES ('1200', 1), ('5000', -1)) AS m(account, quantity);

INSERT INTO history (tenant_id, object, subject_id, at, by, from_status, to_status, reason)
SELECT f.tenant, h.object, h.subject, h.at, 'box office', h.before, h.after, h.reason
FROM facts f, (
    SELECT a.n, s.step, s.object, s.subject, b.gone_at AS at, s.before, s.after, 'CUSTOMER_REQUEST' AS reason
    FROM admissions a JOIN gone b USING (n), LATERAL (VALUES (1, 'ticket', ticket_id, 'CONFIRMED', 'CANCELLED'),
        (2, 'event_seat', seat_id, 'SOLD', 'AVAILABLE')) AS s(step, object, subject, before, after)
    UNION ALL
    SELECT b.n, s.step, s.object, s.subject, s.at, s.before, s.after, s.reason
    FROM gone b, LATERAL (VALUES
        (3, 'booking', booking_id, gone_at, 'CONFIRMED', 'REFUNDED', 'CUSTOMER_REQUEST'),
        (4, 'refund', refund_id, gone_at, NULL, 'REQUESTED', 'CUSTOMER_REQUEST'),
        (5, 'refund', refund_id, settled_at, 'REQUESTED', 'SUBMITTED', NULL),
        (6, 'refund', refund_id, settled_at, 'SUBMITTED', 'SETTLED', NULL),
        (7, 'booking', booking_id, settled_at, 'payment COMPLETED', 'payment PARTIALLY_REFUNDED', NULL)
    ) AS s(step, object, subject, at, before, after, reason)
) AS h ORDER BY h.n, h.step;
