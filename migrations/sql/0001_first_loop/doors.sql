-- The only doors through the walls: functions that run as the auditor, see across agencies and change nothing.

CREATE FUNCTION authenticate(secret bytea)
RETURNS TABLE (tenant_id uuid, credential_id uuid, kind text, user_id uuid, actor text, role text, permissions text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT c.tenant_id, c.id, c.kind, c.user_id, COALESCE(u.email, 'key ' || c.name), COALESCE(u.role, 'api-key'), c.permissions
    INTO tenant_id, credential_id, kind, user_id, actor, role, permissions
    FROM credentials c LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
    WHERE c.secret_hash = secret AND c.kind <> 'REFRESH' AND c.revoked_at IS NULL
      AND (c.expires_at IS NULL OR c.expires_at > now()) AND (u.id IS NULL OR u.active);
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('allotment.tenant', tenant_id::text, true);
    RETURN NEXT;
END $$;

CREATE FUNCTION find_refresh(secret bytea)
RETURNS TABLE (tenant_id uuid, credential_id uuid, user_id uuid, family_id uuid, used boolean, alive boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT c.tenant_id, c.id, c.user_id, c.family_id, c.used_at IS NOT NULL,
           c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now()) AND u.active
    INTO tenant_id, credential_id, user_id, family_id, used, alive
    FROM credentials c JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
    WHERE c.secret_hash = secret AND c.kind = 'REFRESH';
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('allotment.tenant', tenant_id::text, true);
    RETURN NEXT;
END $$;

CREATE FUNCTION find_family(secret bytea) RETURNS TABLE (tenant_id uuid, family_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT c.tenant_id, c.family_id INTO tenant_id, family_id
    FROM credentials c WHERE c.secret_hash = secret AND c.kind <> 'API_KEY';
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('allotment.tenant', tenant_id::text, true);
    RETURN NEXT;
END $$;

CREATE FUNCTION find_login(account text)
RETURNS TABLE (tenant_id uuid, user_id uuid, password_hash text, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT u.tenant_id, u.id, u.password_hash, u.role INTO tenant_id, user_id, password_hash, role
    FROM users u WHERE lower(u.email) = lower(account) AND u.active;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('allotment.tenant', tenant_id::text, true);
    RETURN NEXT;
END $$;

CREATE FUNCTION find_tenants(wanted text DEFAULT NULL) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT id FROM tenants WHERE wanted IS NULL OR name = wanted ORDER BY id $$;

CREATE FUNCTION due_outbox(most integer, kinds text[]) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT o.tenant_id, o.id FROM outbox o WHERE o.delivered_at IS NULL AND o.next_at <= now() AND o.kind = ANY(kinds)
      ORDER BY o.next_at LIMIT most $$;

-- Messages that were accepted, though the operation they are about is still open long after: the process may be lost.
CREATE FUNCTION unanswered_messages(since interval, most integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT m.tenant_id, m.id FROM operations o JOIN outbox m ON m.tenant_id = o.tenant_id AND m.key IN (
          'update ' || o.id, 'start supplier-payment/' || o.id, 'start cancellation/' || o.id,
          'start purchase-order/' || o.subject_id)
      WHERE o.ended_at IS NULL AND o.created_at < now() - since AND m.delivered_at < now() - since
      ORDER BY m.delivered_at LIMIT most $$;

-- The processes that should be running, each with the message that brings it back; invariant S6 says which they are.
CREATE FUNCTION open_processes(since interval, most integer)
RETURNS TABLE (tenant_id uuid, process_id text, message_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT open.tenant_id, open.process_id, m.id FROM (
          SELECT b.tenant_id, 'booking/' || b.id AS process_id, 'start booking/' || b.id AS key
          FROM bookings b WHERE b.status = 'RESERVED' AND b.created_at < now() - since
          UNION ALL
          SELECT r.tenant_id, 'booking/' || r.booking_id, 'update ' || r.payment_id
          FROM refunds r WHERE r.cancellation_id IS NULL AND r.status IN ('REQUESTED', 'SUBMITTED')
          UNION ALL
          SELECT o.tenant_id, 'purchase-order/' || o.id, 'update ' || s.id
          FROM purchase_orders o JOIN operations s
              ON s.tenant_id = o.tenant_id AND s.subject_id = o.id AND s.kind = 'purchase_order.submit' AND s.status = 'succeeded'
          WHERE o.submitted_at < now() - since AND CASE WHEN o.confirmed_at IS NULL THEN o.cancelled_at IS NULL ELSE EXISTS (
              SELECT FROM purchase_order_lines l WHERE l.tenant_id = o.tenant_id AND l.purchase_order_id = o.id
              AND l.confirmed_quantity > l.received_quantity + l.cancelled_quantity) END
      ) AS open JOIN outbox m ON m.tenant_id = open.tenant_id AND m.key = open.key
      WHERE m.delivered_at < now() - since LIMIT most $$;

CREATE FUNCTION due_reservations(most integer) RETURNS TABLE (tenant_id uuid, booking_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT b.tenant_id, b.id FROM bookings b WHERE b.status = 'RESERVED' AND b.held_until <= now()
      ORDER BY b.held_until LIMIT most $$;

CREATE FUNCTION ended_events(most integer) RETURNS TABLE (tenant_id uuid, event_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT e.tenant_id, e.id FROM events e WHERE e.closed_at IS NULL AND e.end_at <= now() ORDER BY e.end_at LIMIT most $$;

CREATE FUNCTION next_event_end() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT min(e.end_at) FROM events e WHERE e.closed_at IS NULL AND e.end_at > now() $$;

DO $$
DECLARE
    door text;
    rights text := current_database() || '_rights';
    auditor text := current_database() || '_auditor';
BEGIN
    EXECUTE format('GRANT CREATE ON SCHEMA public TO %I', auditor);
    FOREACH door IN ARRAY ARRAY['authenticate(bytea)', 'find_refresh(bytea)', 'find_family(bytea)', 'find_login(text)',
                                'find_tenants(text)', 'due_outbox(integer, text[])', 'due_reservations(integer)',
                                'unanswered_messages(interval, integer)', 'open_processes(interval, integer)',
                                'ended_events(integer)', 'next_event_end()'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', door);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', door, rights);
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', door, auditor);
    END LOOP;
    EXECUTE format('REVOKE CREATE ON SCHEMA public FROM %I', auditor);
END $$;
