"""Tables that people send: what counts as a line, where a file ends, and what may be named twice."""

import tracemalloc

import pytest

from domain.states import Refused
from domain.tables import MAX_LINES, Columns, Line, read_table

SEAT = Columns(required=("seat",))


def seat(line: Line) -> str:
    return line.label("seat")


def a_file(lines: int, *, end: bytes = b"\n", final: bool = True) -> bytes:
    """A header and so many lines below it, the last with or without the end of a line."""
    whole = end.join([b"seat", *(b"%d" % number for number in range(lines))])
    return whole + end if final else whole


@pytest.mark.parametrize("final", [True, False], ids=["with a final newline", "without"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_the_header_and_the_end_of_the_last_line_are_no_lines(end: bytes, final: bool) -> None:  # noqa: FBT001
    assert len(read_table(a_file(MAX_LINES, end=end, final=final), columns=SEAT, parse=seat)) == MAX_LINES


@pytest.mark.parametrize("final", [True, False], ids=["with a final newline", "without"])
def test_one_line_too_many_is_refused_where_it_stands(final: bool) -> None:  # noqa: FBT001
    with pytest.raises(Refused) as caught:
        read_table(a_file(MAX_LINES + 1, final=final), columns=SEAT, parse=seat)

    assert [(fault.pointer, fault.code) for fault in caught.value.errors] == [("/lines/100002", "too_many_lines")]


def test_a_flood_of_empty_lines_is_counted_and_not_taken_apart() -> None:
    flood = b"seat" + b"\n" * 10_000_000
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="100,000 lines"):
            read_table(flood, columns=SEAT, parse=seat)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 2 * len(flood)


def test_without_a_key_the_same_seat_may_stand_in_two_lines() -> None:
    assert read_table(b"seat\n7\n7\n", columns=SEAT, parse=seat) == ("7", "7")
    with pytest.raises(Refused, match="duplicate_seat"):
        read_table(b"seat\n7\n7\n", columns=SEAT, parse=seat, key=str)
