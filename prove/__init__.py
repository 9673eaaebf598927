"""The proof: what races and kills do to a running house, found out through its own doors and written down."""
