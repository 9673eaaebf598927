-- Never more is received than was ordered and confirmed, and a line's count is its receipts' and its seats'.
-- Guard: CHECKs confirmed_within_ordered and received_within_confirmed, the order's row lock.
SELECT l.tenant_id, 'purchase_order_line ' || l.id AS subject, 'ordered ' || l.quantity || ', confirmed ' || l.confirmed_quantity
    || ', received ' || l.received_quantity || ', cancelled ' || l.cancelled_quantity || ', on receipts ' || r.quantity
    || ', seats owned ' || s.seats AS fault
FROM purchase_order_lines l
JOIN LATERAL (SELECT COALESCE(sum(quantity), 0) AS quantity FROM receipt_lines r
              WHERE r.tenant_id = l.tenant_id AND r.line_id = l.id) AS r ON true
JOIN LATERAL (SELECT count(*) AS seats FROM event_seats s JOIN receipt_seats rs ON rs.tenant_id = s.tenant_id
                  AND rs.event_seat_id = s.id AND rs.receipt_id = s.receipt_id
              WHERE s.tenant_id = l.tenant_id AND s.purchase_order_id = l.purchase_order_id
              AND s.purchase_order_line_id = l.id) AS s ON true
WHERE l.received_quantity > l.quantity OR l.received_quantity > l.confirmed_quantity OR l.received_quantity <> r.quantity
    OR l.received_quantity <> s.seats
UNION ALL
SELECT s.tenant_id, 'event_seat ' || s.id, 'is OWNED, and no receipt says so at its cost of ' || COALESCE(s.cost::text, 'nothing')
FROM event_seats s
WHERE s.ownership_status = 'OWNED' AND NOT EXISTS (
    SELECT FROM receipt_seats rs WHERE rs.tenant_id = s.tenant_id AND rs.event_seat_id = s.id AND rs.receipt_id = s.receipt_id
    AND rs.cost = s.cost)
