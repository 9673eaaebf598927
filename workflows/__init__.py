"""The processes: wait, order, react, undo; no arithmetic, no SQL, no HTTP."""
