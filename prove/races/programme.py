"""The programme: every race, in the order they are run."""

from __future__ import annotations

from prove.races import blocks, deadline, deliveries, giving_back, one_seat, refresh, same_key

RACES = (one_seat.RACE, blocks.RACE, deadline.RACE, giving_back.RACE, deliveries.RACE, same_key.RACE, refresh.RACE)
CLIENTS = 200
"""Of them, those a race has use for."""
