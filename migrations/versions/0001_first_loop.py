"""The first whole trading loop: tables, walls between agencies, the journal's guards and the number sequences."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[1] / "sql" / "0001_first_loop"
STEPS = ("tables", "walls", "doors", "books", "numbers", "figures")


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in STEPS:
        driver.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
