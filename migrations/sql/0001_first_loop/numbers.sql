-- Human numbers come from sequences; gaps are allowed, order of issue is not promised.

DO $$
DECLARE
    s text;
    rights text := current_database() || '_rights';
BEGIN
    FOREACH s IN ARRAY ARRAY['po_numbers', 'receipt_numbers', 'bill_numbers', 'booking_numbers', 'ticket_numbers',
                             'refund_numbers', 'payment_numbers'] LOOP
        EXECUTE format('CREATE SEQUENCE %I', s);
        EXECUTE format('GRANT USAGE ON SEQUENCE %I TO %I', s, rights);
    END LOOP;
END $$;

CREATE FUNCTION next_number(prefix text, sequence regclass) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT prefix || '-' || to_char(now() AT TIME ZONE 'UTC', 'YYYY') || '-' || lpad(n::text, greatest(5, length(n::text)), '0')
    FROM (SELECT nextval(sequence) AS n) AS drawn
$$;
