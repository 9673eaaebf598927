-- Account 2100 is the open amount of each supplier's bills, and nothing is left in 2110: a delivery is billed at once.
-- Guard: CHECK never_overpaid; receipt, bill and postings are one transaction.
WITH open AS (
    SELECT tenant_id, supplier_id, sum(open_amount) AS amount FROM bills GROUP BY tenant_id, supplier_id
), books AS (
    SELECT tenant_id, supplier_id, -sum(amount) AS amount FROM journal_legs WHERE account = '2100' GROUP BY tenant_id, supplier_id
)
SELECT COALESCE(j.tenant_id, o.tenant_id) AS tenant_id, 'account 2100, supplier ' || COALESCE(j.supplier_id, o.supplier_id) AS subject,
    'is ' || COALESCE(j.amount, 0) || ', bills are open over ' || COALESCE(o.amount, 0) AS fault
FROM books j FULL JOIN open o ON (o.tenant_id, o.supplier_id) = (j.tenant_id, j.supplier_id)
WHERE COALESCE(j.amount, 0) <> COALESCE(o.amount, 0)
UNION ALL
SELECT tenant_id, 'account 2110, supplier ' || supplier_id, 'is ' || -sum(amount) || ' with nothing waiting for a bill'
FROM journal_legs WHERE account = '2110' GROUP BY tenant_id, supplier_id HAVING sum(amount) <> 0
