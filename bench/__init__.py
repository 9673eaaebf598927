"""How close to the bare database and the bare engine the product runs: measured rows, each beside its anchor, in one run."""
