-- What was captured less what went back or is going back is what the booking keeps; never more goes back than came.
-- Guard: CHECKs never_refunded_more_than_paid on bookings and payments, the booking's row lock.
WITH sums AS (
    SELECT b.tenant_id, b.id, b.booking_number, b.currency, b.paid, b.refunded,
        COALESCE((SELECT sum(p.amount) FROM payments p WHERE p.tenant_id = b.tenant_id AND p.booking_id = b.id
                  AND p.status = 'COMPLETED'), 0) AS captured,
        COALESCE((SELECT sum(r.amount) FROM refunds r WHERE r.tenant_id = b.tenant_id AND r.booking_id = b.id
                  AND r.status = 'SETTLED'), 0) AS settled,
        COALESCE((SELECT sum(r.amount) FROM refunds r WHERE r.tenant_id = b.tenant_id AND r.booking_id = b.id
                  AND r.status IN ('REQUESTED', 'SUBMITTED', 'ESCALATED')), 0) AS pending,
        CASE WHEN b.status = 'CONFIRMED' OR (b.status IN ('CANCELLED', 'REFUNDED')
                  AND b.cancellation_reason NOT IN ('EXPIRED', 'PAYMENT_FAILED') AND b.confirmed_at IS NOT NULL)
             THEN b.total_amount ELSE 0 END AS kept,
        EXISTS (SELECT FROM payments p WHERE p.tenant_id = b.tenant_id AND p.booking_id = b.id
                AND p.status = 'PROCESSING') AS undecided
    FROM bookings b
)
SELECT tenant_id, 'booking ' || booking_number AS subject,
    'paid ' || paid || ' but captured ' || captured || ', refunded ' || refunded || ' but settled ' || settled AS fault
FROM sums WHERE NOT undecided AND (paid <> captured OR refunded <> settled)
UNION ALL
SELECT tenant_id, 'booking ' || booking_number,
    'captured ' || captured || ', given back ' || settled || ', on its way back ' || pending || ', should keep ' || kept
FROM sums WHERE NOT undecided AND captured - settled - pending <> kept
UNION ALL
SELECT p.tenant_id, 'payment ' || p.id, 'refunded_amount is ' || p.refunded_amount || ', its settled refunds are ' || r.settled
FROM payments p JOIN LATERAL (
    SELECT COALESCE(sum(amount) FILTER (WHERE status = 'SETTLED'), 0) AS settled FROM refunds r
    WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.id) AS r ON true
WHERE p.refunded_amount <> r.settled
UNION ALL
SELECT p.tenant_id, 'payment ' || p.id, 'of ' || p.amount || ' has refunds of ' || r.alive || ' settled or on their way'
FROM payments p JOIN LATERAL (
    SELECT COALESCE(sum(amount) FILTER (WHERE status <> 'FAILED'), 0) AS alive FROM refunds r
    WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.id) AS r ON true
WHERE r.alive > p.amount OR (r.alive > 0 AND p.status <> 'COMPLETED')
UNION ALL
SELECT r.tenant_id, 'refund ' || r.refund_number, 'was settled before its payment was captured'
FROM refunds r JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
WHERE r.status = 'SETTLED' AND (p.captured_at IS NULL OR r.created_at < p.captured_at - interval '1 min')
