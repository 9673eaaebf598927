#!/bin/sh
# Runs once, on an empty volume: three logins, three databases, and nobody connects where he has no business.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --set=owner_password="$ALLOTMENT_OWNER_PASSWORD" \
    --set=app_password="$ALLOTMENT_APP_PASSWORD" \
    --set=temporal_password="$TEMPORAL_PASSWORD" <<'SQL'
-- The owner migrates and makes the group roles that the walls between agencies are built of.
CREATE ROLE allotment LOGIN CREATEROLE PASSWORD :'owner_password';
-- The application owns nothing; the owner hands it its rights after each migration.
CREATE ROLE allotment_app LOGIN PASSWORD :'app_password';
GRANT allotment_app TO allotment WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';

CREATE DATABASE allotment OWNER allotment;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

REVOKE CONNECT ON DATABASE allotment, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE allotment TO allotment_app;
SQL
