-- What was captured less what went back or is going back is what the booking keeps; never more goes back than came.
-- Guard: CHECKs never_refunded_more_than_paid on bookings and payments, the booking's row lock.
WITH taken AS (
    SELECT tenant_id, booking_id, sum(amount) FILTER (WHERE status = 'COMPLETED') AS captured,
        bool_or(status = 'PROCESSING') AS undecided
    FROM payments GROUP BY tenant_id, booking_id
), returned AS (
    SELECT tenant_id, booking_id, sum(amount) FILTER (WHERE status = 'SETTLED') AS settled,
        sum(amount) FILTER (WHERE status IN ('REQUESTED', 'SUBMITTED', 'ESCALATED')) AS pending
    FROM refunds GROUP BY tenant_id, booking_id
), sums AS (
    SELECT b.tenant_id, b.booking_number, b.paid, b.refunded, COALESCE(t.captured, 0) AS captured,
        COALESCE(r.settled, 0) AS settled, COALESCE(r.pending, 0) AS pending, COALESCE(t.undecided, false) AS undecided,
        CASE WHEN b.status = 'CONFIRMED' OR (b.status IN ('CANCELLED', 'REFUNDED')
                  AND b.cancellation_reason NOT IN ('EXPIRED', 'PAYMENT_FAILED') AND b.confirmed_at IS NOT NULL)
             THEN b.total_amount ELSE 0 END AS kept
    FROM bookings b
    LEFT JOIN taken t ON t.tenant_id = b.tenant_id AND t.booking_id = b.id
    LEFT JOIN returned r ON r.tenant_id = b.tenant_id AND r.booking_id = b.id
), of_payments AS (
    SELECT p.tenant_id, p.id, p.status, p.amount, p.refunded_amount, COALESCE(r.settled, 0) AS settled,
        COALESCE(r.alive, 0) AS alive
    FROM payments p LEFT JOIN (
        SELECT tenant_id, payment_id, sum(amount) FILTER (WHERE status = 'SETTLED') AS settled,
            sum(amount) FILTER (WHERE status <> 'FAILED') AS alive
        FROM refunds GROUP BY tenant_id, payment_id) AS r ON r.tenant_id = p.tenant_id AND r.payment_id = p.id
)
SELECT tenant_id, 'booking ' || booking_number AS subject,
    'paid ' || paid || ' but captured ' || captured || ', refunded ' || refunded || ' but settled ' || settled AS fault
FROM sums WHERE NOT undecided AND (paid <> captured OR refunded <> settled)
UNION ALL
SELECT tenant_id, 'booking ' || booking_number,
    'captured ' || captured || ', given back ' || settled || ', on its way back ' || pending || ', should keep ' || kept
FROM sums WHERE NOT undecided AND captured - settled - pending <> kept
UNION ALL
SELECT tenant_id, 'payment ' || id, 'refunded_amount is ' || refunded_amount || ', its settled refunds are ' || settled
FROM of_payments WHERE refunded_amount <> settled
UNION ALL
SELECT tenant_id, 'payment ' || id, 'of ' || amount || ' has refunds of ' || alive || ' settled or on their way'
FROM of_payments WHERE alive > amount OR (alive > 0 AND status <> 'COMPLETED')
UNION ALL
SELECT r.tenant_id, 'refund ' || r.refund_number, 'was settled before its payment was captured'
FROM refunds r JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
WHERE r.status = 'SETTLED' AND (p.captured_at IS NULL OR r.created_at < p.captured_at - interval '1 min')
