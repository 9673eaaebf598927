-- No reservation outlives its time by more than 5 s, or 30 s after an outage (asked while the house is awake).
-- Guard: availability itself asks held_until and the database's clock, so a late process never blocks a sale.
SELECT b.tenant_id, 'booking ' || b.booking_number AS subject, 'was held until ' || b.held_until || ' and is RESERVED' AS fault
FROM bookings b, (SELECT NULLIF(current_setting('allotment.awake_since'), '')::timestamptz AS since) AS awake
WHERE b.status = 'RESERVED' AND GREATEST(b.held_until + interval '5 s', awake.since + interval '30 s') < now()
    AND awake.since IS NOT NULL
