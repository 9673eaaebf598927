"""Papers that nobody waits for are messages of a kind of their own, so that many can be printed together."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0003_papers", "tables")
