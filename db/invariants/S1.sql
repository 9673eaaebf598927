-- A seat has at most one live ticket (reserved, confirmed, transferred or used).
-- Guard: the partial unique index uq_tickets_live_seat.
SELECT tenant_id, 'event_seat ' || event_seat_id AS subject, 'has ' || count(*) || ' live tickets' AS fault
FROM tickets WHERE status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED')
GROUP BY tenant_id, event_seat_id HAVING count(*) > 1
