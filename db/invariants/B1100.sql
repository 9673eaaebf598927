-- Account 1100 is the balance that the provider's own book has for us.
-- Guard: postings 9, 11 and 14 are made from the provider's final word, once per payment and refund.
WITH book AS (
    SELECT c.currency, sum(c.captured - c.refunded) AS balance
    FROM jsonb_to_recordset(COALESCE(NULLIF(current_setting('allotment.provider_book'), ''), '[]')::jsonb)
        AS c(currency text, captured numeric, refunded numeric) GROUP BY c.currency
), ours AS (
    SELECT currency, sum(amount) AS balance FROM journal_legs WHERE account = '1100' GROUP BY currency
)
SELECT NULL::uuid AS tenant_id, 'provider' AS subject, 'its book cannot be read' AS fault
WHERE current_setting('allotment.provider_book') = ''
UNION ALL
SELECT NULL, 'account 1100', 'is ' || COALESCE(o.balance, 0) || ', the provider has ' || COALESCE(b.balance, 0) || ' '
    || COALESCE(o.currency, b.currency)
FROM ours o FULL JOIN book b USING (currency)
WHERE COALESCE(o.balance, 0) <> COALESCE(b.balance, 0) AND current_setting('allotment.provider_book') <> ''
