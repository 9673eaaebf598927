"""What the rows of one delivery ask of its receipt and its entry is asked once; an index nobody reads is gone."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0004_deliveries", "tables")
