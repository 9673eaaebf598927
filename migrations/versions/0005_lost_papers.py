"""A paper knows the process that is to make it, and is asked for again when the engine has lost that."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

SQL = Path(__file__).parents[1] / "sql" / "0005_lost_papers"
STEPS = ("tables", "doors")


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in STEPS:
        driver.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
