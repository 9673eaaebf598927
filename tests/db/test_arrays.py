"""Arrays for many rows: written as text, and what rows share said once."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from db.arrays import literal, shared
from db.ids import new_id


def test_ids_amounts_and_nothing_are_written_as_postgres_reads_them() -> None:
    seat = new_id()

    assert literal([seat, None]) == "{" + seat.hex + ",NULL}"
    assert literal([Decimal("20.00"), 3]) == "{20.00,3}"
    assert literal([]) == "{}"


@given(st.lists(st.sampled_from(["20.00", "35.00", "50.00"])))
def test_what_rows_share_is_said_once_and_each_row_finds_its_own(prices: list[str]) -> None:
    once, which = shared(prices)

    assert len(once) == len(set(prices))
    assert [once[number - 1] for number in which] == prices
