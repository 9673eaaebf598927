-- Every open booking, order, cancellation and refund has its one running process, and every running process its open thing.
-- Guard: the outbox row of the same transaction, delivered until Temporal has it under the thing's own id.
WITH running AS (
    SELECT split_part(id, '/', 1) AS kind, split_part(id, '/', 2) AS thing, id
    FROM jsonb_array_elements_text(COALESCE(NULLIF(current_setting('allotment.processes'), ''), '[]')::jsonb) AS p(id)
), orders AS (
    SELECT o.tenant_id, o.id, o.po_number AS number, o.submitted_at IS NOT NULL AND (
        CASE WHEN bool_or(l.received_quantity > 0) OR o.confirmed_at IS NOT NULL
             THEN bool_or(l.confirmed_quantity > l.received_quantity + l.cancelled_quantity)
             ELSE o.cancelled_at IS NULL END) AS open, o.submitted_at AS since
    FROM purchase_orders o JOIN purchase_order_lines l ON l.tenant_id = o.tenant_id AND l.purchase_order_id = o.id
    GROUP BY o.tenant_id, o.id, o.po_number, o.submitted_at, o.confirmed_at, o.cancelled_at
), paying AS (
    SELECT tenant_id, booking_id FROM payments WHERE status = 'PROCESSING' OR void_due
    UNION SELECT tenant_id, booking_id FROM refunds WHERE cancellation_id IS NULL AND status IN ('REQUESTED', 'SUBMITTED')
), expected AS (
    SELECT tenant_id, 'booking' AS kind, id::text AS thing, 'booking ' || booking_number AS subject,
        b.status = 'RESERVED' OR EXISTS (SELECT FROM paying p WHERE p.tenant_id = b.tenant_id AND p.booking_id = b.id) AS open,
        created_at AS since
    FROM bookings b
    UNION ALL SELECT tenant_id, 'purchase-order', id::text, 'purchase_order ' || number, open, since FROM orders
    UNION ALL SELECT c.tenant_id, 'cancellation', c.id::text, 'cancellation ' || c.id, EXISTS (
        SELECT FROM refunds r WHERE r.tenant_id = c.tenant_id AND r.cancellation_id = c.id
        AND r.status IN ('REQUESTED', 'SUBMITTED')), c.created_at
    FROM cancellations c
), on_the_way AS (
    SELECT payload ->> 'process_id' AS id FROM outbox WHERE delivered_at IS NULL AND kind IN ('START', 'UPDATE')
)
SELECT NULL::uuid AS tenant_id, 'Temporal' AS subject, 'its running processes cannot be read' AS fault
WHERE current_setting('allotment.processes') = ''
UNION ALL
SELECT e.tenant_id, e.subject, 'is open, and no process ' || e.kind || '/' || e.thing || ' runs'
FROM expected e
WHERE e.open AND e.since < now() - interval '10 s' AND current_setting('allotment.processes') <> ''
    AND NOT EXISTS (SELECT FROM running r WHERE r.kind = e.kind AND r.thing = e.thing)
    AND NOT EXISTS (SELECT FROM on_the_way w WHERE w.id = e.kind || '/' || e.thing)
UNION ALL
SELECT e.tenant_id, e.subject, 'has ended, and its process ' || r.id || ' still runs'
FROM running r JOIN expected e ON e.kind = r.kind AND e.thing = r.thing
WHERE NOT e.open AND current_setting('allotment.awake_since') <> '' AND NOT (
    e.kind = 'purchase-order' AND EXISTS (
        SELECT FROM purchase_orders o WHERE o.tenant_id = e.tenant_id AND o.id::text = e.thing AND o.submitted_at IS NULL))
UNION ALL
SELECT NULL, 'process ' || r.id, 'runs for a thing that is not there'
FROM running r
WHERE r.kind IN ('booking', 'purchase-order') AND NOT EXISTS (
    SELECT FROM expected e WHERE e.kind = r.kind AND e.thing = r.thing)
    AND current_setting('allotment.awake_since') <> ''
