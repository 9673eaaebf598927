"""The two ways a start ends early: it cannot go on, or somebody said stop."""


class CannotStart(RuntimeError):
    """One line that says what is in the way and what to do about it."""


class StopRequested(Exception):
    """SIGTERM or SIGINT arrived while something was being waited for."""
