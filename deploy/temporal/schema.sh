#!/bin/sh
# Temporal's tables in both of its databases; a second run finds them current. The tool reads SQL_* from the environment.
set -eu

tables() {
    temporal-sql-tool --database "$1" setup-schema --version 0.0
    temporal-sql-tool --database "$1" update-schema --schema-name "postgresql/v12/$2"
}

tables temporal temporal
tables temporal_visibility visibility
