-- No row points at another agency's, every table of agencies is walled off, and the application's role cannot climb the wall.
-- Guard: composite foreign keys, forced row-level security with a policy, roles made by the migration; a catalog test.
WITH walled AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner,
        (SELECT attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS tenant_column
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND (c.relname = 'tenants' OR EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
), app AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
    WHERE m.roleid = (SELECT oid FROM pg_roles WHERE rolname = current_database() || '_rights')
        AND r.oid <> (SELECT relowner FROM pg_class WHERE oid = 'tenants'::regclass)
)
SELECT NULL::uuid AS tenant_id, 'table ' || relname AS subject, 'row-level security is not enabled and forced' AS fault
FROM walled WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT NULL, 'table ' || w.relname, 'has no policy that asks for the agency' FROM walled w
WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = w.oid AND p.polname = 'own_agency'
                  AND pg_get_expr(p.polqual, p.polrelid) LIKE '%current_tenant()%')
UNION ALL
SELECT NULL, 'role ' || app.rolname, 'is a superuser or bypasses row-level security' FROM app WHERE rolsuper OR rolbypassrls
UNION ALL
SELECT NULL, 'role ' || app.rolname, 'owns table ' || w.relname FROM app JOIN walled w ON pg_has_role(app.oid, w.relowner, 'USAGE')
UNION ALL
SELECT NULL, 'foreign key ' || k.conname, 'does not carry the agency'
FROM pg_constraint k JOIN walled w ON w.oid = k.conrelid JOIN walled target ON target.oid = k.confrelid
WHERE k.contype = 'f' AND target.relname <> 'tenants' AND NOT w.tenant_column = ANY (k.conkey)
UNION ALL
SELECT m.tenant_id, 'entry ' || m.entry_id, 'moves a seat of another agency or event'
FROM seat_movements m
WHERE NOT EXISTS (SELECT FROM event_seats s WHERE s.tenant_id = m.tenant_id AND s.id = m.event_seat_id AND s.event_id = m.event_id)
UNION ALL
SELECT l.tenant_id, 'entry ' || l.entry_id, 'names an event or supplier of another agency'
FROM journal_legs l
WHERE (l.event_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM events e WHERE e.tenant_id = l.tenant_id AND e.id = l.event_id))
    OR (l.supplier_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM suppliers s WHERE s.tenant_id = l.tenant_id AND s.id = l.supplier_id))
UNION ALL
SELECT t.tenant_id, 'ticket ' || t.ticket_number, 'names a supplier of another agency'
FROM tickets t WHERE t.supplier_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM suppliers s WHERE s.tenant_id = t.tenant_id AND s.id = t.supplier_id)
UNION ALL
SELECT s.tenant_id, 'event_seat ' || s.id, 'names an order line or receipt of another agency'
FROM event_seats s
WHERE (s.purchase_order_line_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM purchase_order_lines l WHERE l.tenant_id = s.tenant_id AND l.id = s.purchase_order_line_id))
    OR (s.receipt_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM receipts r WHERE r.tenant_id = s.tenant_id AND r.id = s.receipt_id))
