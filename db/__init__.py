"""The database room: tables, named queries and the one transaction; the only place that says which rows."""
