"""A paper knows the process that is to make it, and is asked for again when the engine has lost that."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0005_lost_papers", "tables", "doors")
