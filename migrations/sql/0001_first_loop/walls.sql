-- Walls between agencies: every table with a tenant_id is closed unless the transaction has named its tenant.

CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('allotment.tenant', true), '')::uuid $$;

-- Two group roles named after the database: what the application may do, and the auditor who sees all and writes nothing.
DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY[current_database() || '_rights', current_database() || '_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
        EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role_name);
    END LOOP;
END $$;

DO $$
DECLARE
    t text;
    rights text := current_database() || '_rights';
    auditor text := current_database() || '_auditor';
    tenant_key text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version' LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', t, auditor);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, rights);
        tenant_key := CASE WHEN t = 'tenants' THEN 'id'
                           WHEN EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public'
                                        AND table_name = t AND column_name = 'tenant_id') THEN 'tenant_id' END;
        IF tenant_key IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
            EXECUTE format('CREATE POLICY own_agency ON %I USING (%I = current_tenant()) WITH CHECK (%I = current_tenant())',
                           t, tenant_key, tenant_key);
            EXECUTE format('CREATE POLICY audit ON %I FOR SELECT TO %I USING (true)', t, auditor);
        END IF;
    END LOOP;
    -- What is written once stays: the application may add to these and read them.
    FOREACH t IN ARRAY ARRAY['journal_entries', 'journal_legs', 'seat_movements', 'history', 'labels', 'receipts',
                             'receipt_lines', 'receipt_seats', 'bill_settlements'] LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON %I FROM %I', t, rights);
    END LOOP;
    EXECUTE format('GRANT SELECT ON alembic_version TO %I, %I', rights, auditor);
END $$;
