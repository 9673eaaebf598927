-- Walled as every table of an agency; what is closed stays closed: the application may add to these and read them.

DO $$
DECLARE
    t text;
    rights text := current_database() || '_rights';
    auditor text := current_database() || '_auditor';
BEGIN
    FOREACH t IN ARRAY ARRAY['ledger_stretches', 'ledger_totals'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', t, auditor);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO %I', t, rights);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_agency ON %I USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', t);
        EXECUTE format('CREATE POLICY audit ON %I FOR SELECT TO %I USING (true)', t, auditor);
    END LOOP;
END $$;
