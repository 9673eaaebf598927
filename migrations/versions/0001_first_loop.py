"""The first whole trading loop: tables, walls between agencies, the journal's guards and the number sequences."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0001_first_loop", "tables", "walls", "doors", "books", "numbers", "figures")
