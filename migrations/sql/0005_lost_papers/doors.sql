-- What the dispatcher asks of every agency's papers at once.

CREATE FUNCTION unmade_papers(since interval, most integer)
RETURNS TABLE (tenant_id uuid, document_id uuid, process_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT d.tenant_id, d.id, d.process_id FROM documents d
      WHERE d.storage_key IS NULL AND d.failure IS NULL AND d.process_id IS NOT NULL AND d.created_at < now() - since
      ORDER BY d.created_at LIMIT most $$;

DO $$
DECLARE
    rights text := current_database() || '_rights';
    auditor text := current_database() || '_auditor';
BEGIN
    EXECUTE format('GRANT CREATE ON SCHEMA public TO %I', auditor);
    REVOKE ALL ON FUNCTION unmade_papers(interval, integer) FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION unmade_papers(interval, integer) TO %I', rights);
    EXECUTE format('ALTER FUNCTION unmade_papers(interval, integer) OWNER TO %I', auditor);
    EXECUTE format('REVOKE CREATE ON SCHEMA public FROM %I', auditor);
END $$;
