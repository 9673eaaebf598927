"""Totals of the journal's closed days and months, so that a report over years reads thousands of rows, not millions."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).parents[1] / "sql" / "0002_ledger_totals"
STEPS = ("tables", "walls")


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in STEPS:
        driver.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
