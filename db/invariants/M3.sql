-- Every charge in the provider's own book is a payment of ours, kept by its booking, given back, let go, or on its way there.
-- Guard: provider calls carry a key made of process and step; an unknown answer is looked up, never sent anew.
WITH book AS (
    SELECT c.reference, c.description, c.currency, c.captured, c.refunded, c.voided
    FROM jsonb_to_recordset(COALESCE(NULLIF(current_setting('allotment.provider_book'), ''), '[]')::jsonb)
        AS c(reference text, description text, currency text, captured numeric, refunded numeric, voided numeric)
), ours AS (
    SELECT p.tenant_id, p.id, p.status, p.amount, p.currency, p.refunded_amount, p.failure_reason, p.void_due,
        p.provider_transaction_id AS reference, b.booking_number,
        EXISTS (SELECT FROM refunds r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.id
                AND r.status = 'SUBMITTED') AS refunding
    FROM payments p JOIN bookings b ON b.tenant_id = p.tenant_id AND b.id = p.booking_id WHERE p.provider = 'simulated'
)
SELECT NULL::uuid AS tenant_id, 'provider' AS subject, 'its book cannot be read' AS fault
WHERE current_setting('allotment.provider_book') = ''
UNION ALL
SELECT NULL, 'charge ' || c.reference, 'for ' || c.description || ' took ' || c.captured || ' and is no payment of ours'
FROM book c
WHERE c.captured > c.refunded AND NOT EXISTS (SELECT FROM ours o WHERE o.reference = c.reference)
    AND NOT EXISTS (SELECT FROM ours o WHERE o.booking_number = c.description AND o.status = 'PROCESSING')
UNION ALL
SELECT o.tenant_id, 'payment ' || o.id, 'is ' || o.status || ' over ' || o.amount || ' ' || o.currency || '; the provider took '
    || COALESCE(c.captured, 0) || ' ' || COALESCE(c.currency, '') || ' and gave back ' || COALESCE(c.refunded, 0)
FROM ours o LEFT JOIN book c ON c.reference = o.reference
WHERE current_setting('allotment.provider_book') <> '' AND CASE o.status
    WHEN 'COMPLETED' THEN o.amount > 0 AND (c.reference IS NULL OR c.captured <> o.amount OR c.currency <> o.currency)
    WHEN 'FAILED' THEN c.captured > c.refunded
    ELSE false END
UNION ALL
SELECT o.tenant_id, 'payment ' || o.id, 'gave back ' || o.refunded_amount || '; the provider gave back ' || c.refunded
FROM ours o JOIN book c ON c.reference = o.reference
WHERE c.refunded <> o.refunded_amount AND NOT o.refunding
UNION ALL
SELECT o.tenant_id, 'payment ' || o.id, 'was given up; the provider still keeps its promise of ' || o.amount || ' ' || o.currency
FROM ours o JOIN book c ON c.reference = o.reference
WHERE o.failure_reason = 'reservation_expired' AND NOT o.void_due AND c.captured = 0 AND c.voided = 0
UNION ALL
SELECT NULL, 'charge ' || reference, 'is claimed by ' || count(*) || ' payments'
FROM ours WHERE reference IS NOT NULL GROUP BY reference HAVING count(*) > 1
