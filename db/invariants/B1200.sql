-- Account 1200 is the seats we own and have neither sold nor written off, at their own cost, per event, supplier and section.
-- Guard: the deferred trigger entry_balances ties legs to seat movements; seats and movements change together.
WITH stock AS (
    SELECT tenant_id, event_id, supplier_id, section, sum(cost) AS amount, count(*) AS seats FROM event_seats
    WHERE ownership_status = 'OWNED' AND status <> 'SOLD' AND NOT written_off GROUP BY tenant_id, event_id, supplier_id, section
), books AS (
    SELECT tenant_id, event_id, supplier_id, section, sum(amount) AS amount, sum(quantity) AS seats FROM journal_legs
    WHERE account = '1200' GROUP BY tenant_id, event_id, supplier_id, section
), moved AS (
    SELECT tenant_id, event_seat_id, sum(quantity) AS balance, sum(quantity * cost) AS amount FROM seat_movements
    WHERE account = '1200' GROUP BY tenant_id, event_seat_id
)
SELECT COALESCE(j.tenant_id, s.tenant_id) AS tenant_id,
    'account 1200, event ' || COALESCE(j.event_id, s.event_id) || ', ' || COALESCE(j.section, s.section) AS subject,
    'is ' || COALESCE(j.amount, 0) || ' for ' || COALESCE(j.seats, 0) || ' seats, the seats are ' || COALESCE(s.seats, 0)
        || ' at ' || COALESCE(s.amount, 0) AS fault
FROM books j FULL JOIN stock s ON (s.tenant_id, s.event_id, s.supplier_id, s.section)
    = (j.tenant_id, j.event_id, j.supplier_id, j.section)
WHERE (COALESCE(j.amount, 0), COALESCE(j.seats, 0)) <> (COALESCE(s.amount, 0), COALESCE(s.seats, 0))
UNION ALL
SELECT s.tenant_id, 'event_seat ' || s.id, 'is ' || s.ownership_status || ', ' || s.status || ', written off: ' || s.written_off
    || '; its movements leave ' || COALESCE(m.balance, 0) || ' seats at ' || COALESCE(m.amount, 0)
FROM event_seats s LEFT JOIN moved m ON m.tenant_id = s.tenant_id AND m.event_seat_id = s.id
WHERE (COALESCE(m.balance, 0), COALESCE(m.amount, 0)) <> CASE
    WHEN s.ownership_status = 'OWNED' AND s.status <> 'SOLD' AND NOT s.written_off THEN (1::bigint, s.cost)
    ELSE (0::bigint, 0::numeric) END
