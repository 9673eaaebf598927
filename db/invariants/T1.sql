-- A ticket admits only while its booking is confirmed, has a code nobody else has, and knows whose seat it is at what cost.
-- Guard: the unique index on barcode; ticket and booking change in one transaction.
SELECT t.tenant_id, 'ticket ' || t.ticket_number AS subject, 'is ' || t.status || ', its booking ' || b.status AS fault
FROM tickets t JOIN bookings b ON b.tenant_id = t.tenant_id AND b.id = t.booking_id
WHERE (t.status IN ('CONFIRMED', 'TRANSFERRED', 'USED') AND b.status <> 'CONFIRMED')
    OR (t.status = 'RESERVED' AND b.status <> 'RESERVED')
UNION ALL
SELECT tenant_id, 'ticket ' || ticket_number, 'is ' || status || ' without supplier, cost or time of confirmation'
FROM tickets WHERE status IN ('CONFIRMED', 'TRANSFERRED', 'USED')
    AND (supplier_id IS NULL OR cost IS NULL OR confirmed_at IS NULL)
UNION ALL
SELECT t.tenant_id, 'ticket ' || t.ticket_number, 'is for another event or cost than its seat'
FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
WHERE t.event_id <> s.event_id OR (t.status IN ('CONFIRMED', 'TRANSFERRED', 'USED')
    AND (t.supplier_id, t.cost) <> (s.supplier_id, s.cost))
UNION ALL
SELECT NULL, 'barcode', count(*) || ' tickets share one' FROM tickets GROUP BY barcode HAVING count(*) > 1
