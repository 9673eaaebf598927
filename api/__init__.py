"""The HTTP room: who and what in, one call, a shape out."""
