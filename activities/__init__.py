"""The steps: one activity is one database transaction, or one call to the outside; each is safe to run twice."""
