-- One receipt per order and delivery reference, one bill per receipt, and both are what the seats cost; never more is paid.
-- Guard: unique keys on receipts and bills, CHECKs never_overpaid, advance_not_overused and advance_within_payment.
SELECT tenant_id, 'purchase_order ' || purchase_order_id AS subject,
    'has ' || count(*) || ' receipts of delivery ' || delivery_reference AS fault
FROM receipts GROUP BY tenant_id, purchase_order_id, delivery_reference HAVING count(*) > 1
UNION ALL
SELECT r.tenant_id, 'receipt ' || r.receipt_number, 'of ' || r.total_amount || ' for ' || r.seat_count || ' seats: lines '
    || l.amount || ', seats ' || s.cost || ' for ' || s.seats || ', bills ' || b.amount || ' (' || b.bills || ')'
FROM receipts r
JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM receipt_lines l
              WHERE l.tenant_id = r.tenant_id AND l.receipt_id = r.id) AS l ON true
JOIN LATERAL (SELECT COALESCE(sum(cost), 0) AS cost, count(*) AS seats FROM receipt_seats s
              WHERE s.tenant_id = r.tenant_id AND s.receipt_id = r.id) AS s ON true
JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount, count(*) AS bills FROM bills b
              WHERE b.tenant_id = r.tenant_id AND b.receipt_id = r.id) AS b ON true
WHERE l.amount <> r.total_amount OR s.cost <> r.total_amount OR b.amount <> r.total_amount OR b.bills <> 1
    OR s.seats <> r.seat_count
UNION ALL
SELECT b.tenant_id, 'bill ' || b.number, 'of ' || b.amount || ' says ' || b.settled_amount || ' is settled, its settlements are '
    || s.amount
FROM bills b JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM bill_settlements s
                           WHERE s.tenant_id = b.tenant_id AND s.bill_id = b.id) AS s ON true
WHERE b.settled_amount <> s.amount OR b.settled_amount > b.amount
UNION ALL
SELECT p.tenant_id, 'supplier_payment ' || p.number, 'of ' || p.amount || ' met bills with ' || s.paid || ' and is an advance of '
    || p.advance_amount || ', of which ' || p.advance_used || ' is used by settlements of ' || s.advance
FROM supplier_payments p JOIN LATERAL (
    SELECT COALESCE(sum(amount) FILTER (WHERE source = 'PAYMENT'), 0) AS paid,
        COALESCE(sum(amount) FILTER (WHERE source = 'ADVANCE'), 0) AS advance
    FROM bill_settlements s WHERE s.tenant_id = p.tenant_id AND s.payment_id = p.id) AS s ON true
WHERE p.amount <> s.paid + p.advance_amount OR p.advance_used <> s.advance OR p.advance_used > p.advance_amount
