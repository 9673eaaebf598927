-- A booking's lines, fee and tax add up to its totals to the cent, whatever of it was cancelled.
-- Guard: amounts are computed once by domain/booking.py and domain/refunds.py, split by largest remainder.
WITH borne AS (
    SELECT tenant_id, booking_id, count(*) FILTER (WHERE status IN ('CONFIRMED', 'TRANSFERRED', 'USED')) AS tickets,
        sum(price) FILTER (WHERE status IN ('CONFIRMED', 'TRANSFERRED', 'USED')) AS price,
        sum(discount) FILTER (WHERE status IN ('CONFIRMED', 'TRANSFERRED', 'USED')) AS discount, sum(fee) AS fee
    FROM tickets GROUP BY tenant_id, booking_id
), fees_back AS (
    SELECT tenant_id, booking_id, sum(fee_refund) AS amount FROM cancellations WHERE executed_at IS NOT NULL
    GROUP BY tenant_id, booking_id
), sums AS (
    SELECT b.*, COALESCE(t.tickets, 0) AS live, COALESCE(t.price, 0) AS live_price, COALESCE(t.discount, 0) AS live_discount,
        COALESCE(t.fee, 0) AS fee, COALESCE(f.amount, 0) AS fee_back
    FROM bookings b
    LEFT JOIN borne t ON t.tenant_id = b.tenant_id AND t.booking_id = b.id
    LEFT JOIN fees_back f ON f.tenant_id = b.tenant_id AND f.booking_id = b.id
), sent AS (
    SELECT tenant_id, cancellation_id, sum(amount) FILTER (WHERE attempt = latest) AS alive FROM (
        SELECT tenant_id, cancellation_id, amount, attempt,
            max(attempt) OVER (PARTITION BY tenant_id, cancellation_id, cause) AS latest
        FROM refunds WHERE cancellation_id IS NOT NULL) AS attempts
    GROUP BY tenant_id, cancellation_id
)
SELECT tenant_id, 'booking ' || booking_number AS subject, 'its total is ' || total_amount || ', its parts add up to '
    || subtotal - discount_amount + service_fee + tax_amount + cancellation_charge AS fault
FROM bookings WHERE total_amount <> subtotal - discount_amount + service_fee + tax_amount + cancellation_charge
UNION ALL
SELECT tenant_id, 'booking ' || booking_number, 'says ' || ticket_count || ' tickets of ' || subtotal || ' less '
    || discount_amount || ', its live tickets are ' || live || ' of ' || live_price || ' less ' || live_discount
FROM sums
WHERE status = 'CONFIRMED' AND (ticket_count, subtotal, discount_amount) <> (live, live_price, live_discount)
UNION ALL
SELECT tenant_id, 'booking ' || booking_number, 'keeps a fee of ' || service_fee || ', its tickets bore ' || fee
    || ' of which ' || fee_back || ' went back'
FROM sums WHERE service_fee <> fee - fee_back
UNION ALL
SELECT tenant_id, 'ticket ' || ticket_number, 'has a discount of ' || discount || ' on a price of ' || price
FROM tickets WHERE price < 0 OR discount < 0 OR discount > price OR fee < 0 OR tax < 0
UNION ALL
SELECT c.tenant_id, 'cancellation ' || c.id, 'gives back ' || c.refund_total || ', its refunds are ' || COALESCE(s.alive, 0)
FROM cancellations c LEFT JOIN sent s ON s.tenant_id = c.tenant_id AND s.cancellation_id = c.id
WHERE c.executed_at IS NOT NULL AND c.refund_total <> COALESCE(s.alive, 0)
