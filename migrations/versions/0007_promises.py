"""A promise that has to be let go is known until the provider has been asked, and its process is missed when it is lost."""

from __future__ import annotations

from db.migrate import run_steps

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the plain SQL files in their order."""
    run_steps("0007_promises", "tables", "doors")
