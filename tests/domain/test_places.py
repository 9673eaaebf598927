"""Seat lists of halls: every column, every dress, every wrong line."""

from decimal import Decimal

import pytest

from domain.places import SeatLine, parse_seat_csv
from domain.states import Refused


def test_a_hall_is_read_with_all_its_columns() -> None:
    data = (
        "\ufeffsection;row;seat;seat_type;x;y\r\nParkett;A;12A;WHEELCHAIR;1,5;-2.0005\r\nParkett;Ä;007;;;\r\n".encode()
    )

    seats = parse_seat_csv(data)

    assert seats == (
        SeatLine(2, "Parkett", "A", "12A", "WHEELCHAIR", Decimal("1.500"), Decimal("-2.001")),
        SeatLine(3, "Parkett", "Ä", "007", None, None, None),
    )


def test_seats_alone_are_enough() -> None:
    assert parse_seat_csv(b"section,row,seat\nBox 2-4,1,1\n") == (SeatLine(2, "Box 2-4", "1", "1", None, None, None),)


def test_labels_that_look_alike_as_numbers_are_different_seats() -> None:
    assert [line.seat for line in parse_seat_csv(b"section,row,seat\nS,A,7\nS,A,07\nS,A,007\n")] == ["7", "07", "007"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("S,A,1/2,,,", "invalid_label"),
        ("S,A-B,1,,,", "invalid_label"),
        ('"S,T",A,1,,,', "invalid_label"),
        ("S,A,,,,", "invalid_label"),
        ("S,A,1,STANDARD,left,", "not_a_number"),
        ('S,A,1,STANDARD,"1,5",', "not_a_number"),
        ("S,A,1,STANDARD,1000000,", "not_a_number"),
        (f"S,A,1,{'x' * 41},,", "invalid_text"),
        ("S,A,1,VI\x07P,,", "invalid_text"),
        ("S,A,9,,,", "duplicate_seat"),
        ("S,A,1,,", "wrong_columns"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_read(line: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_seat_csv(f"section,row,seat,seat_type,x,y\nS,A,9,,,\n{line}\n".encode())

    assert [(fault.pointer, fault.code) for fault in caught.value.errors] == [("/lines/3", code)]
