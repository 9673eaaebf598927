-- The totals of closed days and months are those of the legs recorded in them, and nothing joined a day after it was closed.
-- Guard: a stretch and its totals are one transaction under one lock; no posting is stamped before the last closed day.
WITH days AS (
    SELECT tenant_id, array_agg(ends_at ORDER BY ends_at) AS ends, max(ends_at) AS closed FROM ledger_stretches
    WHERE span = 'DAY' GROUP BY tenant_id
), months AS (
    SELECT tenant_id, array_agg(ends_at ORDER BY ends_at) AS ends, max(ends_at) AS closed FROM ledger_stretches
    WHERE span = 'MONTH' GROUP BY tenant_id
), both_sides AS (
    SELECT 'DAY' AS span, l.tenant_id, d.ends[width_bucket(l.recorded_at, d.ends) + 1] AS ends_at, l.account, l.currency,
        l.event_id, l.supplier_id, l.section, (l.effective_at AT TIME ZONE 'UTC')::date AS effective_from,
        l.accounting_date AS accounting_from, l.amount, l.quantity::bigint, 0 AS told
    FROM journal_legs l JOIN days d ON d.tenant_id = l.tenant_id AND l.recorded_at < d.closed
    UNION ALL
    SELECT 'MONTH', t.tenant_id, m.ends[width_bucket(t.ends_at - interval '1 microsecond', m.ends) + 1], t.account, t.currency,
        t.event_id, t.supplier_id, t.section, date_trunc('month', t.effective_from)::date,
        date_trunc('month', t.accounting_from)::date, t.amount, t.quantity, 0
    FROM ledger_totals t JOIN months m ON m.tenant_id = t.tenant_id AND t.ends_at <= m.closed WHERE t.span = 'DAY'
    UNION ALL
    SELECT span, tenant_id, ends_at, account, currency, event_id, supplier_id, section, effective_from, accounting_from, -amount,
        -quantity, 1
    FROM ledger_totals
)
SELECT tenant_id, 'totals of the ' || lower(span) || ' until ' || ends_at AS subject, 'account ' || account || ', effective from '
    || effective_from || ', said ' || sum(told) || ' times: the legs add up to ' || COALESCE(sum(amount) FILTER (WHERE told = 0), 0)
    || ', the totals to ' || COALESCE(-sum(amount) FILTER (WHERE told = 1), 0) AS fault
FROM both_sides
GROUP BY span, tenant_id, ends_at, account, currency, event_id, supplier_id, section, effective_from, accounting_from
HAVING sum(amount) <> 0 OR sum(quantity) <> 0 OR sum(told) <> 1 OR count(*) < 2
