-- Account 1110 is what confirmed bookings owe whose money has not been captured yet.
-- Guard: sale, capture and reversal post in the transaction that changes the booking.
WITH open AS (
    SELECT p.tenant_id, sum(p.amount) AS amount FROM payments p
    JOIN bookings b ON b.tenant_id = p.tenant_id AND b.id = p.booking_id
    WHERE p.status = 'PROCESSING' AND b.status = 'CONFIRMED' AND NOT EXISTS (
        SELECT FROM journal_entries e WHERE e.tenant_id = p.tenant_id AND e.key = 'late-money/' || p.id)
    GROUP BY p.tenant_id
), books AS (
    SELECT tenant_id, sum(amount) AS amount FROM journal_legs WHERE account = '1110' GROUP BY tenant_id
)
SELECT COALESCE(j.tenant_id, o.tenant_id) AS tenant_id, 'account 1110' AS subject,
    'is ' || COALESCE(j.amount, 0) || ', bookings owe ' || COALESCE(o.amount, 0) AS fault
FROM books j FULL JOIN open o ON o.tenant_id = j.tenant_id WHERE COALESCE(j.amount, 0) <> COALESCE(o.amount, 0)
