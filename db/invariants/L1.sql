-- Whatever was asked for ends, or says what it waits for: no message, operation or event is left lying for a minute, and the queue of documents moves.
-- Guard: the dispatcher repeats until accepted; activities repeat until an outage is over (asked while the house is awake).
WITH patience AS (
    SELECT now() - interval '60 s' AS before WHERE current_setting('allotment.awake_since') <> ''
        AND NULLIF(current_setting('allotment.awake_since'), '')::timestamptz < now() - interval '60 s'
)
SELECT o.tenant_id, 'message ' || o.key AS subject, 'is not delivered since ' || o.created_at || ': '
    || COALESCE(o.last_error, 'never tried') AS fault
FROM outbox o, patience WHERE o.delivered_at IS NULL AND o.created_at < patience.before
    -- A letter that was refused for good has come to its end.
    AND NOT (o.kind = 'MAIL' AND o.next_at = 'infinity' AND o.last_error IS NOT NULL)
    -- A letter waits for its papers, and a moment longer; whether those are late is asked below.
    AND NOT EXISTS (SELECT FROM documents d WHERE d.tenant_id = o.tenant_id AND o.payload -> 'documents' ? d.id::text
                    AND ((d.storage_key IS NULL AND d.failure IS NULL) OR d.stored_at > patience.before
                         OR (d.failure IS NOT NULL AND o.next_at > now())))
UNION ALL
SELECT o.tenant_id, 'operation ' || o.kind || ' ' || o.id, 'is ' || o.status || ' since ' || o.created_at
FROM operations o, patience WHERE o.status IN ('queued', 'running') AND o.created_at < patience.before
UNION ALL
SELECT d.tenant_id, 'document ' || d.kind || ' ' || d.id, 'is asked for since ' || d.created_at || ', and none was made meanwhile'
FROM documents d, patience WHERE d.storage_key IS NULL AND d.failure IS NULL AND d.created_at < patience.before
    AND NOT EXISTS (SELECT FROM documents m WHERE m.stored_at > patience.before)
UNION ALL
-- The queue may move past one whose process is lost. Only what somebody waits for may go before its elders.
SELECT d.tenant_id, 'document ' || d.kind || ' ' || d.id, 'is asked for since ' || d.created_at || ', and younger ones are made'
FROM documents d, patience WHERE d.storage_key IS NULL AND d.failure IS NULL AND d.created_at < patience.before
    AND EXISTS (SELECT FROM documents m WHERE m.stored_at > patience.before
                AND m.created_at > d.created_at + interval '2 min'
                AND NOT EXISTS (SELECT FROM outbox o WHERE o.tenant_id = m.tenant_id
                                AND o.key = 'start document/' || m.id || '/now'))
UNION ALL
SELECT e.tenant_id, 'event ' || e.title, 'is over since ' || e.end_at || ' and not closed'
FROM events e, patience
WHERE e.closed_at IS NULL AND e.end_at < patience.before - interval '2 min' AND e.created_at < patience.before - interval '2 min'
    AND NOT EXISTS (SELECT FROM bookings b WHERE b.tenant_id = e.tenant_id AND b.event_id = e.id
                    AND (b.status = 'RESERVED' OR b.payment_status = 'PROCESSING'))
