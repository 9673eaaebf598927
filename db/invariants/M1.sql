-- Every entry sums to zero per currency and ties to its seats, legs repeat their entry's times, and nothing is ever changed.
-- Guard: the deferred trigger entry_balances, the triggers append_only and joins_no_old_entry, no right to UPDATE or DELETE.
SELECT tenant_id, 'entry ' || entry_id AS subject, 'is out of balance by ' || sum(amount) || ' ' || currency AS fault
FROM journal_legs GROUP BY tenant_id, entry_id, currency HAVING sum(amount) <> 0
UNION ALL
SELECT tenant_id, 'entry ' || entry_id, 'account ' || account || ' does not tie to its seats: ' || sum(amount) || ', '
    || sum(quantity) || ' seats'
FROM (
    SELECT tenant_id, entry_id, account, event_id, supplier_id, section, amount, quantity FROM journal_legs
    WHERE account IN ('1200', '5000', '5200')
    UNION ALL
    SELECT tenant_id, entry_id, account, event_id, supplier_id, section, -quantity * cost, -quantity FROM seat_movements
) AS both_sides
GROUP BY tenant_id, entry_id, account, event_id, supplier_id, section HAVING sum(amount) <> 0 OR sum(quantity) <> 0
UNION ALL
SELECT l.tenant_id, 'entry ' || l.entry_id, 'leg ' || l.leg || ' has another time, kind or currency than its entry'
FROM journal_legs l JOIN journal_entries e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
WHERE (l.kind, l.currency, l.effective_at, l.accounting_date, l.recorded_at)
    IS DISTINCT FROM (e.kind, e.currency, e.effective_at, e.accounting_date, e.recorded_at)
UNION ALL
SELECT NULL, 'table ' || wanted.relname, 'its trigger ' || wanted.tgname || ' is missing or off'
FROM (VALUES ('journal_entries', 'entry_balances'), ('journal_legs', 'joins_no_old_entry'),
             ('seat_movements', 'joins_no_old_entry'), ('journal_entries', 'append_only'),
             ('journal_legs', 'append_only'), ('seat_movements', 'append_only')) AS wanted(relname, tgname)
WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                  WHERE c.relname = wanted.relname AND t.tgname = wanted.tgname AND t.tgenabled <> 'D')
UNION ALL
SELECT NULL, 'role ' || r.rolname, 'may ' || right_to || ' ' || book
FROM pg_roles r, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS right_to,
    unnest(ARRAY['journal_entries', 'journal_legs', 'seat_movements', 'history']) AS book
WHERE r.rolname = current_database() || '_rights' AND has_table_privilege(r.oid, book, right_to)
