-- The profit report's figures, from the journal, are those of the tickets themselves, per event, supplier and section.
-- Guard: sale and posting are one transaction; this is the second derivation.
WITH journal AS (
    SELECT tenant_id, event_id, supplier_id, section,
        -COALESCE(sum(amount) FILTER (WHERE account IN ('4000', '4080', '4090')), 0) AS net_revenue,
        COALESCE(sum(amount) FILTER (WHERE account = '5000'), 0) AS cost_of_sales,
        COALESCE(sum(quantity) FILTER (WHERE account = '4000'), 0)
            - COALESCE(sum(quantity) FILTER (WHERE account = '4090'), 0) AS tickets
    FROM journal_legs WHERE account IN ('4000', '4080', '4090', '5000') GROUP BY tenant_id, event_id, supplier_id, section
), sold AS (
    SELECT t.tenant_id, t.event_id, t.supplier_id, s.section, sum(t.price - t.discount) AS net_revenue, sum(t.cost) AS cost_of_sales,
        count(*) AS tickets
    FROM tickets t JOIN event_seats s ON s.tenant_id = t.tenant_id AND s.id = t.event_seat_id
    WHERE t.status IN ('CONFIRMED', 'TRANSFERRED', 'USED') GROUP BY t.tenant_id, t.event_id, t.supplier_id, s.section
)
SELECT COALESCE(j.tenant_id, t.tenant_id) AS tenant_id,
    'event ' || COALESCE(j.event_id, t.event_id) || ', ' || COALESCE(j.section, t.section) AS subject,
    'books: ' || COALESCE(j.tickets, 0) || ' tickets, ' || COALESCE(j.net_revenue, 0) || ' revenue, '
        || COALESCE(j.cost_of_sales, 0) || ' cost; tickets: ' || COALESCE(t.tickets, 0) || ', ' || COALESCE(t.net_revenue, 0)
        || ', ' || COALESCE(t.cost_of_sales, 0) AS fault
FROM journal j FULL JOIN sold t ON (t.tenant_id, t.event_id, t.supplier_id, t.section)
    = (j.tenant_id, j.event_id, j.supplier_id, j.section)
WHERE (COALESCE(j.tickets, 0), COALESCE(j.net_revenue, 0), COALESCE(j.cost_of_sales, 0))
    <> (COALESCE(t.tickets, 0), COALESCE(t.net_revenue, 0), COALESCE(t.cost_of_sales, 0))
