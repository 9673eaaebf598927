"""Kills: every step of every process struck at every point by the death of every part, under trade, healed and judged."""
