"""Totals of the journal's closed days and months, so that a report over years reads thousands of rows, not millions."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0002_ledger_totals", "tables", "walls")
