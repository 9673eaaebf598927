-- A booking's lines, fee and tax add up to its totals to the cent, whatever of it was cancelled.
-- Guard: amounts are computed once by domain/booking.py and domain/refunds.py, split by largest remainder.
SELECT tenant_id, 'booking ' || booking_number AS subject, 'its total is ' || total_amount || ', its parts add up to '
    || subtotal - discount_amount + service_fee + tax_amount + cancellation_charge AS fault
FROM bookings WHERE total_amount <> subtotal - discount_amount + service_fee + tax_amount + cancellation_charge
UNION ALL
SELECT b.tenant_id, 'booking ' || b.booking_number, 'says ' || b.ticket_count || ' tickets of ' || b.subtotal || ' less '
    || b.discount_amount || ', its live tickets are ' || t.tickets || ' of ' || t.price || ' less ' || t.discount
FROM bookings b JOIN LATERAL (
    SELECT count(*) AS tickets, COALESCE(sum(price), 0) AS price, COALESCE(sum(discount), 0) AS discount,
        COALESCE(sum(tax), 0) AS tax FROM tickets t
    WHERE t.tenant_id = b.tenant_id AND t.booking_id = b.id AND t.status IN ('CONFIRMED', 'TRANSFERRED', 'USED')) AS t ON true
WHERE b.status = 'CONFIRMED' AND (b.ticket_count, b.subtotal, b.discount_amount) <> (t.tickets, t.price, t.discount)
UNION ALL
SELECT b.tenant_id, 'booking ' || b.booking_number, 'keeps a fee of ' || b.service_fee || ', its tickets bore '
    || t.fee || ' of which ' || t.fee_back || ' went back'
FROM bookings b JOIN LATERAL (
    SELECT COALESCE(sum(t.fee), 0) AS fee, COALESCE((SELECT sum(c.fee_refund) FROM cancellations c
        WHERE c.tenant_id = b.tenant_id AND c.booking_id = b.id AND c.executed_at IS NOT NULL), 0) AS fee_back
    FROM tickets t WHERE t.tenant_id = b.tenant_id AND t.booking_id = b.id) AS t ON true
WHERE b.service_fee <> t.fee - t.fee_back
UNION ALL
SELECT tenant_id, 'ticket ' || ticket_number, 'has a discount of ' || discount || ' on a price of ' || price
FROM tickets WHERE price < 0 OR discount < 0 OR discount > price OR fee < 0 OR tax < 0
UNION ALL
SELECT c.tenant_id, 'cancellation ' || c.id, 'gives back ' || c.refund_total || ', its refunds are ' || r.alive
FROM cancellations c JOIN LATERAL (
    SELECT COALESCE(sum(amount) FILTER (WHERE last), 0) AS alive FROM (
        SELECT amount, attempt = max(attempt) OVER (PARTITION BY cause) AS last FROM refunds r
        WHERE r.tenant_id = c.tenant_id AND r.cancellation_id = c.id) AS attempts) AS r ON true
WHERE c.executed_at IS NOT NULL AND c.refund_total <> r.alive
