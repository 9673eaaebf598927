"""A payment provider of our own for trying things: a process with its own book and its own ways to fail.

The card decides what happens: `tok_ok`, `tok_declined`, `tok_insufficient_funds`, `tok_slow_<ms>`,
`tok_unknown_then_ok`, `tok_unknown_then_failed`, `tok_late_<ms>`, `tok_capture_fails`, `tok_refund_fails_once`,
`tok_capture_unknown_then_ok`, `tok_refund_unknown_then_ok`, `tok_late_refund_unknown_<ms>`; any other is declined as `invalid_token`.
"""

from gateways.simulated_provider.process import main

__all__ = ["main"]
