"""Delivery notes: what makes two of them the same, told in bounded time whatever they name."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, datetime
from uuid import UUID

import pytest

from activities.delivery_notes import Note, SeatList

LINE = UUID(int=5)


def a_note(*seats: str) -> Note:
    lists = (SeatList(place="/lines/0", line_id=LINE, seats=seats),)
    return Note(reference="LS-1", said_at=None, delivered_at=datetime(2027, 1, 1, tzinfo=UTC), lists=lists)


def test_the_same_seats_are_the_same_note_however_they_are_listed() -> None:
    assert a_note("S/A/1-3", "S/B/*").fingerprint({}) == a_note(" S/ B /* ", "S/A/3,1-2").fingerprint({})
    assert a_note("S/A/1-3").fingerprint({}) != a_note("S/A/1-4").fingerprint({})


@pytest.mark.parametrize("text", ["S/A/0-99999", "S/1-300/1-300", "S/A/" + ",".join(["0-99999"] * 500)])
def test_a_note_that_names_more_than_any_delivery_is_told_apart_without_naming_it_all(text: str) -> None:
    note = a_note(*[text] * (2**20 // len(text)))
    start = time.perf_counter()
    tracemalloc.start()
    try:
        told = note.fingerprint({})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert told != a_note(text).fingerprint({})
    assert most < 200_000_000
    assert time.perf_counter() - start < 10
