-- A seat and its ticket agree: SOLD has a confirmed one, RESERVED a reserved one, any other seat none that lives.
-- Guard: one guarded statement per change (activities/booking.py, db/reserving.py); no constraint can see both tables.
WITH live AS (
    SELECT tenant_id, event_seat_id, string_agg(status, ' and ' ORDER BY status) AS tickets
    FROM tickets WHERE status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED') GROUP BY tenant_id, event_seat_id
)
SELECT s.tenant_id, 'event_seat ' || s.id AS subject,
    'is ' || s.status || ', its ticket is ' || COALESCE(l.tickets, 'not there') AS fault
FROM event_seats s LEFT JOIN live l ON l.tenant_id = s.tenant_id AND l.event_seat_id = s.id
WHERE CASE s.status
    WHEN 'SOLD' THEN l.tickets IS NULL OR l.tickets NOT IN ('CONFIRMED', 'TRANSFERRED', 'USED')
    WHEN 'RESERVED' THEN l.tickets IS DISTINCT FROM 'RESERVED'
    ELSE l.tickets IS NOT NULL END
