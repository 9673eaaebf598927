-- The processes that should be running, each with the message that brings it back; invariant S6 says which they are.

CREATE OR REPLACE FUNCTION open_processes(since interval, most integer)
RETURNS TABLE (tenant_id uuid, process_id text, message_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT open.tenant_id, open.process_id, m.id FROM (
          SELECT b.tenant_id, 'booking/' || b.id AS process_id, 'start booking/' || b.id AS key
          FROM bookings b WHERE b.status = 'RESERVED' AND b.created_at < now() - since
          UNION ALL
          SELECT p.tenant_id, 'booking/' || p.booking_id, 'update ' || p.id
          FROM payments p WHERE p.void_due AND p.ended_at < now() - since
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
