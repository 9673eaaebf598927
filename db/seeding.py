"""Facts about the installation itself: whether the demo agencies have been made."""

from __future__ import annotations

from db.transaction import Tx

DEMO = "demo agencies seeded"


def done(tx: Tx) -> bool:
    """Whether the demo agencies exist, whole."""
    return bool(tx.value("SELECT EXISTS (SELECT FROM installation WHERE fact = %s)", (DEMO,)))


def mark_done(tx: Tx) -> None:
    """They exist now."""
    tx.run("INSERT INTO installation (fact) VALUES (%s) ON CONFLICT DO NOTHING", (DEMO,))
