"""A payment provider of our own for trying things: a process with its own book and its own ways to fail."""

from gateways.simulated_provider.process import main

__all__ = ["main"]
