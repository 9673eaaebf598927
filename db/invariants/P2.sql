-- Never more is received than was ordered and confirmed, and a line's count is its receipts' and its seats'.
-- Guard: CHECKs confirmed_within_ordered and received_within_confirmed, the order's row lock.
WITH came AS (
    SELECT tenant_id, line_id, sum(quantity) AS quantity FROM receipt_lines GROUP BY tenant_id, line_id
), owned AS (
    SELECT s.tenant_id, s.purchase_order_id, s.purchase_order_line_id AS line_id, count(*) AS seats
    FROM event_seats s JOIN receipt_seats rs
        ON (rs.tenant_id, rs.event_seat_id, rs.receipt_id) = (s.tenant_id, s.id, s.receipt_id)
    GROUP BY s.tenant_id, s.purchase_order_id, s.purchase_order_line_id
)
SELECT l.tenant_id, 'purchase_order_line ' || l.id AS subject, 'ordered ' || l.quantity || ', confirmed ' || l.confirmed_quantity
    || ', received ' || l.received_quantity || ', cancelled ' || l.cancelled_quantity || ', on receipts ' || COALESCE(r.quantity, 0)
    || ', seats owned ' || COALESCE(s.seats, 0) AS fault
FROM purchase_order_lines l
LEFT JOIN came r ON r.tenant_id = l.tenant_id AND r.line_id = l.id
LEFT JOIN owned s ON (s.tenant_id, s.purchase_order_id, s.line_id) = (l.tenant_id, l.purchase_order_id, l.id)
WHERE l.received_quantity > l.quantity OR l.received_quantity > l.confirmed_quantity OR l.received_quantity <> COALESCE(r.quantity, 0)
    OR l.received_quantity <> COALESCE(s.seats, 0)
UNION ALL
SELECT s.tenant_id, 'event_seat ' || s.id, 'is OWNED, and no receipt says so at its cost of ' || COALESCE(s.cost::text, 'nothing')
FROM event_seats s
WHERE s.ownership_status = 'OWNED' AND NOT EXISTS (
    SELECT FROM receipt_seats rs WHERE rs.tenant_id = s.tenant_id AND rs.event_seat_id = s.id AND rs.receipt_id = s.receipt_id
    AND rs.cost = s.cost)
