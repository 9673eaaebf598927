"""The first delivery of an agency that the planner knows nothing of is checked in one go."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0006_first_deliveries", "tables")
