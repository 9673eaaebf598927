-- Account 1300 is what was paid to each supplier in advance and not used up by a bill.
-- Guard: CHECK advance_not_overused; a payment and its postings are one transaction.
WITH advances AS (
    SELECT tenant_id, supplier_id, sum(advance_amount - advance_used) AS amount FROM supplier_payments
    GROUP BY tenant_id, supplier_id
), books AS (
    SELECT tenant_id, supplier_id, sum(amount) AS amount FROM journal_legs WHERE account = '1300' GROUP BY tenant_id, supplier_id
)
SELECT COALESCE(j.tenant_id, a.tenant_id) AS tenant_id, 'account 1300, supplier ' || COALESCE(j.supplier_id, a.supplier_id) AS subject,
    'is ' || COALESCE(j.amount, 0) || ', advances left are ' || COALESCE(a.amount, 0) AS fault
FROM books j FULL JOIN advances a ON (a.tenant_id, a.supplier_id) = (j.tenant_id, j.supplier_id)
WHERE COALESCE(j.amount, 0) <> COALESCE(a.amount, 0)
