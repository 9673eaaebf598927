"""What starts, watches and stops the parts of one home: Postgres, Temporal and our own processes."""
