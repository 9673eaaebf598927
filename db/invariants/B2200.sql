-- Account 2200 is what we owe back to customers: refunds whose last attempt has not settled.
-- Guard: unique key (cause, attempt) on refunds; cancellation, refund row and posting are one transaction.
WITH last_attempts AS (
    SELECT DISTINCT ON (tenant_id, cause) tenant_id, amount, status FROM refunds ORDER BY tenant_id, cause, attempt DESC
), owed AS (
    SELECT tenant_id, sum(amount) AS amount FROM last_attempts WHERE status <> 'SETTLED' GROUP BY tenant_id
), books AS (
    SELECT tenant_id, -sum(amount) AS amount FROM journal_legs WHERE account = '2200' GROUP BY tenant_id
)
SELECT COALESCE(j.tenant_id, o.tenant_id) AS tenant_id, 'account 2200' AS subject,
    'is ' || COALESCE(j.amount, 0) || ', refunds not settled are ' || COALESCE(o.amount, 0) AS fault
FROM books j FULL JOIN owed o ON o.tenant_id = j.tenant_id WHERE COALESCE(j.amount, 0) <> COALESCE(o.amount, 0)
