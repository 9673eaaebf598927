"""What the rows of one delivery ask of its receipt and its entry is asked once; an index nobody reads is gone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

SQL = Path(__file__).parents[1] / "sql" / "0004_deliveries"
STEPS = ("tables",)


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in STEPS:
        driver.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
