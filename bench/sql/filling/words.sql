-- What the other files of the filling speak with: ids that tell their time, barcodes with their check character.

-- An id like the product's own: 48 bits of milliseconds, version 7, then the kind and the number of the thing.
CREATE FUNCTION pg_temp.made(kind integer, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ('0' || to_hex((((date_part('epoch', at) * 1000)::bigint) << 16) | 28672 | kind)
        || to_hex(n | (-9223372036854775808)))::uuid
$$;

-- Twenty-four digits and the check character of domain/numbers.py. Digits of 0 to 15 never carry in Luhn's sum, and the
-- bytes of a number below 255 bytes' worth add up to its remainder by 255.
CREATE FUNCTION pg_temp.code_of(high bigint, low bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT upper(lpad(to_hex(high), 12, '0') || lpad(to_hex(low), 12, '0')) || substr('0ZYXWVTSRQPNMKJHGFEDCBA987654321',
        1 + ((2 * ((high & 16557351571215) % 255 + (low & 16557351571215) % 255)
              + ((high >> 4) & 16557351571215) % 255 + ((low >> 4) & 16557351571215) % 255) % 32)::integer, 1)
$$;

CREATE FUNCTION pg_temp.numbered(prefix text, year text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT prefix || '-' || year || '-' || lpad(n::text, greatest(5, length(n::text)), '0')
$$;

CREATE TEMP TABLE facts (
    tenant uuid, by text, currency text, timezone text, year text, events integer, bookings bigint,
    opened_at timestamptz, begins timestamptz, step double precision, salt bigint,
    po bigint, grn bigint, bill bigint, pay bigint, booking bigint, ticket bigint, refund bigint
);
CREATE TEMP TABLE places (
    hall integer, place integer, section text, row_label text, seat_number text, sort_key text, price numeric,
    PRIMARY KEY (hall, place)
);
CREATE TEMP TABLE shows (
    event integer PRIMARY KEY, hall integer, seats integer, event_id uuid, supplier_id uuid, bought_at timestamptz, cost numeric
);
CREATE TEMP TABLE part (first bigint, last bigint);
