-- Halls and events on sale; `places` (hall, place, section, row_label, seat_number, sort_key) and `shows`
-- (event, hall, seats, event_id, supplier_id, bought_at, cost) have been laid out.

INSERT INTO venues (tenant_id, id, name, venue_type, timezone, created_at)
SELECT f.tenant, pg_temp.made(1, h.hall, f.opened_at), 'Hall ' || h.hall, 'THEATER', f.timezone, f.opened_at
FROM facts f, (SELECT DISTINCT hall FROM places) AS h;

INSERT INTO venue_seats (tenant_id, id, venue_id, section, row_label, seat_number, sort_key)
SELECT f.tenant, pg_temp.made(2, p.hall * 1000000::bigint + p.place, f.opened_at), pg_temp.made(1, p.hall, f.opened_at),
    p.section, p.row_label, p.seat_number, p.sort_key
FROM facts f, places p ORDER BY p.hall, p.place;

INSERT INTO events (tenant_id, id, title, event_type, venue_id, start_at, end_at, timezone, currency, status, version, created_at)
SELECT f.tenant, s.event_id, 'Show ' || s.event, 'CONCERT', pg_temp.made(1, s.hall, f.opened_at), starts.at,
    starts.at + interval '3 h', f.timezone, f.currency, 'ON_SALE', 3, s.bought_at
FROM facts f, shows s, LATERAL (SELECT date_trunc('hour', now()) + (30 + s.event % 300) * interval '1 day' AS at) AS starts;

INSERT INTO labels (tenant_id, object, subject_id, since, label)
SELECT f.tenant, 'event', s.event_id, s.bought_at, 'Show ' || s.event FROM facts f, shows s;

INSERT INTO history (tenant_id, object, subject_id, at, by, from_status, to_status)
SELECT f.tenant, 'event', s.event_id, s.bought_at, f.by, h.before, h.after
FROM facts f, shows s, (VALUES (1, NULL, 'DRAFT'), (2, 'DRAFT', 'PUBLISHED'), (3, 'PUBLISHED', 'ON_SALE')) AS h(n, before, after)
ORDER BY s.event, h.n;

INSERT INTO suppliers (tenant_id, id, name, supplier_type, email, payment_terms, created_at)
SELECT f.tenant, s.supplier_id, s.name, 'EVENT_ORGANIZER', 'orders@supplier.example', 'NET_30', f.opened_at
FROM facts f, (SELECT DISTINCT supplier_id, 'Supplier ' || event % 50 AS name FROM shows) AS s;

INSERT INTO labels (tenant_id, object, subject_id, since, label)
SELECT f.tenant, 'supplier', s.supplier_id, f.opened_at, s.name
FROM facts f, (SELECT DISTINCT supplier_id, 'Supplier ' || event % 50 AS name FROM shows) AS s;
