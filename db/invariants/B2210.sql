-- Account 2210 is empty: late money is decided, taken for the seats or given back, in the transaction that books it.
-- Guard: the one settling transaction of activities/booking.py.
SELECT tenant_id, 'account 2210' AS subject, 'holds ' || -sum(amount) || ' of customers'' money that nobody has decided on' AS fault
FROM journal_legs WHERE account = '2210' GROUP BY tenant_id HAVING sum(amount) <> 0
