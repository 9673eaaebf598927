"""Papers that nobody waits for are messages of a kind of their own, so that many can be printed together."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

SQL = Path(__file__).parents[1] / "sql" / "0003_papers"
STEPS = ("tables",)


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on an open connection"
    for step in STEPS:
        driver.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
