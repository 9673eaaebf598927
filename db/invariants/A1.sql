-- Every change of state is in the history: its last line says the present state, and each line is an arrow the rules allow.
-- Guard: history rows are written by the transaction that changes the state; no right to UPDATE or DELETE them.
WITH present AS (
    SELECT tenant_id, 'booking' AS object, id, booking_number AS name, status FROM bookings
    UNION ALL SELECT tenant_id, 'ticket', id, ticket_number, status FROM tickets
    UNION ALL SELECT tenant_id, 'payment', id, id::text, status FROM payments
    UNION ALL SELECT tenant_id, 'refund', id, refund_number, status FROM refunds
    UNION ALL SELECT tenant_id, 'event_seat', id, id::text, status FROM event_seats
        WHERE status <> 'AVAILABLE' OR ownership_status <> 'NOT_OWNED'
    UNION ALL SELECT tenant_id, 'event', id, title, CASE WHEN closed_at IS NULL THEN status ELSE 'COMPLETED' END FROM events
    UNION ALL SELECT o.tenant_id, 'purchase_order', o.id, o.po_number, CASE
        WHEN bool_or(l.received_quantity > 0) THEN CASE
            WHEN bool_or(l.confirmed_quantity > l.received_quantity + l.cancelled_quantity) THEN 'PARTIALLY_RECEIVED'
            ELSE 'COMPLETED' END
        WHEN o.cancelled_at IS NOT NULL THEN 'CANCELLED'
        WHEN o.submitted_at IS NULL THEN 'DRAFT'
        WHEN o.confirmed_at IS NULL THEN 'PENDING'
        WHEN bool_or(l.confirmed_quantity > l.received_quantity + l.cancelled_quantity) THEN 'CONFIRMED'
        ELSE 'CANCELLED' END
    FROM purchase_orders o JOIN purchase_order_lines l ON l.tenant_id = o.tenant_id AND l.purchase_order_id = o.id
    GROUP BY o.tenant_id, o.id, o.po_number, o.cancelled_at, o.submitted_at, o.confirmed_at
), told (tenant_id, object, subject_id, status) AS (
    -- The last state is the end of the greatest text of entry and state (always 19 digits): nothing has to be sorted.
    SELECT tenant_id, object, subject_id, CASE WHEN object = 'event_seat' AND status = 'OWNED' THEN 'AVAILABLE' ELSE status END
    FROM (SELECT tenant_id, object, subject_id, substr(max((entry + 1000000000000000000)::text || to_status), 20) AS status
          FROM history WHERE to_status NOT LIKE 'payment %' GROUP BY tenant_id, object, subject_id) AS latest
), allowed AS (
    SELECT a ->> 0 AS object, a ->> 1 AS from_status, a ->> 2 AS to_status
    FROM jsonb_array_elements(current_setting('allotment.arrows')::jsonb) AS a
), forbidden AS (
    SELECT object, from_status, to_status FROM history
    WHERE from_status IS NOT NULL AND object IN (SELECT object FROM allowed) GROUP BY object, from_status, to_status
    EXCEPT SELECT object, from_status, to_status FROM allowed
)
SELECT p.tenant_id, p.object || ' ' || p.name AS subject,
    'is ' || p.status || ', its history says ' || COALESCE(t.status, 'nothing') AS fault
FROM present p LEFT JOIN told t ON t.tenant_id = p.tenant_id AND t.object = p.object AND t.subject_id = p.id
WHERE t.status IS DISTINCT FROM p.status
UNION ALL
SELECT h.tenant_id, h.object || ' ' || h.subject_id, 'went from ' || h.from_status || ' to ' || h.to_status
FROM history h JOIN forbidden f USING (object, from_status, to_status)
