-- Nothing is reserved or sold that is not owned, and nothing that was written off is sold.
-- Guard: CHECK ck_event_seats_sold_is_owned, and the lock on the seat's row.
SELECT s.tenant_id, 'event_seat ' || s.id AS subject,
    'is ' || s.ownership_status || CASE WHEN s.written_off THEN ', written off' ELSE '' END || ', and ' || s.status AS fault
FROM event_seats s
WHERE (s.status IN ('RESERVED', 'SOLD') AND s.ownership_status <> 'OWNED') OR (s.written_off AND s.status = 'SOLD')
UNION ALL
SELECT t.tenant_id, 'ticket ' || t.ticket_number, 'is ' || t.status || ' for a seat that is ' || s.ownership_status
FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
WHERE t.status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED') AND s.ownership_status <> 'OWNED'
