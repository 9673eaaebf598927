"""The tables, street by street; importing this package fills the one metadata."""

from db.tables import access, base, buying, kernel, ledger, places, selling

metadata = base.metadata

__all__ = ["access", "buying", "kernel", "ledger", "metadata", "places", "selling"]
