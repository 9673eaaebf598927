"""Deliveries: files as suppliers send them, open quantities, and the cost of each seat."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.purchasing import LineFacts, line_total
from domain.receiving import (
    DeliveredSeat,
    check_open,
    check_prices,
    fingerprint,
    parse_delivery_csv,
    refuse_duplicates,
    seat_costs,
    take_block,
)
from domain.states import Refused


def refusal(data: bytes, *, currency: str | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_delivery_csv(data, currency=currency)
    return caught.value


def a_seat(line: int = 1, *, number: int = 2, unit_price: str | None = None) -> DeliveredSeat:
    price = None if unit_price is None else Decimal(unit_price)
    return DeliveredSeat(number, line, "Stalls", "A", "1", price, None)


@pytest.mark.parametrize(
    "data",
    [
        b"line,section,row,seat,unit_price,retail_price\n1,Stalls,A,12A,20.5,35\n2,Stalls,\xc3\x84,007,,\n",
        b"\xef\xbb\xbfline;section;row;seat;unit_price;retail_price\r\n1;Stalls;A;12A;20,5;35,00\r\n2;Stalls;\xc3\x84;007;;\r\n",
        b"seat,row,section,retail_price,line,unit_price\n12A,A,Stalls,35.00,1,20.5000\n\n007,\xc3\x84,Stalls,,2,\n\n",
        b'Line;Section;Row;Seat;Unit_Price;Retail_Price\n"1";"Stalls";" A ";12A;20.5;35\n2;Stalls;A\xcc\x88;007;;',
    ],
    ids=["comma", "semicolon, BOM, CRLF, decimal comma", "other order, blank lines", "quotes, capitals, NFD"],
)
def test_a_delivery_file_is_read_in_every_dress(data: bytes) -> None:
    first, second = parse_delivery_csv(data, currency="EUR")

    assert (first.line, first.section, first.row, first.seat) == (1, "Stalls", "A", "12A")
    assert (first.unit_price, first.retail_price) == (Decimal("20.5"), Decimal("35.00"))
    assert (second.line, second.row, second.seat, second.unit_price, second.retail_price) == (2, "Ä", "007", None, None)


@pytest.mark.parametrize("column", ["unit_price", "retail_price"])
def test_the_price_columns_are_independent(column: str) -> None:
    (seat,) = parse_delivery_csv(f"line,section,row,seat,{column}\n1,S,A,1,9.5\n".encode())

    assert getattr(seat, column) == Decimal("9.5")


def test_line_numbers_are_the_files_own() -> None:
    seats = parse_delivery_csv(b"line,section,row,seat\n\n\n1,S,A,1\n\n1,S,A,2\n")

    assert [seat.line_number_of_file for seat in seats] == [4, 6]
    assert seats[0].pointer == "/lines/4"


def test_a_bad_line_deep_in_a_long_file_is_named() -> None:
    lines = [b"line,section,row,seat", *(b"1,Stalls,%d,%d" % divmod(n, 40) for n in range(1999))]
    lines[1733] = b"1,Stalls,A/B,1"

    refused = refusal(b"\n".join(lines))

    assert refused.code == "invalid"
    assert [(fault.pointer, fault.code) for fault in refused.errors] == [("/lines/1734", "invalid_label")]
    assert "1734" in refused.words


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("1,S,A", "wrong_columns"),
        ("1,S,A,1,2,3,4", "wrong_columns"),
        ("x,S,A,1,,", "not_a_number"),
        ("0x1,S,A,1,,", "not_a_number"),
        ("-1,S,A,1,,", "not_a_number"),
        (",S,A,1,,", "not_a_number"),
        ("1,,A,1,,", "invalid_label"),
        ("1,S,A-B,1,,", "invalid_label"),
        ("1,S,A,*,,", "invalid_label"),
        ('1,S,A,1,"12,50",', "not_a_number"),
        ("1,S,A,1,12.,", "not_a_number"),
        ("1,S,A,1,1e3,", "not_a_number"),
        ("1,S,A,1,-1,", "invalid"),
        ("1,S,A,1,0.00001,", "invalid"),
        ("1,S,A,1,,9.999", "invalid"),
        ('1,S,A,"1', "unreadable_line"),
        ('1,S,A,"1"x,,', "unreadable_line"),
        ("1,S,A,\udcff,,", "not_utf8"),
    ],
)
def test_each_bad_line_says_what_is_wrong(line: str, code: str) -> None:
    text = f"line,section,row,seat,unit_price,retail_price\n1,S,Z,1,,\n{line}\n1,S,Z,2,,\n"

    refused = refusal(text.encode(errors="surrogateescape"), currency="EUR")

    assert refused.code == "invalid"
    assert [(fault.pointer, fault.code) for fault in refused.errors] == [("/lines/3", code)]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "section,row,seat",
        "line,section,row,seat,price",
        "line,section,row,seat,seat",
        "line;section,row,seat",
        "line\tsection\trow\tseat",
    ],
)
def test_a_wrong_header_is_line_one(header: str) -> None:
    refused = refusal(f"{header}\n1,S,A,1\n".encode())

    assert [(fault.pointer, fault.code) for fault in refused.errors] == [("/lines/1", "wrong_header")]
    assert "line,section,row,seat[,unit_price,retail_price]" in refused.words


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"line,section,row,seat",
        b"line,section,row,seat\r\n\r\n",
        "line,section,row,seat\n1,S,A,1".encode("utf-16"),
    ],
)
def test_a_file_with_nothing_to_read_is_refused_at_line_one(data: bytes) -> None:
    assert refusal(data).errors[0].pointer == "/lines/1"


def test_thousands_points_are_not_read_as_decimals() -> None:
    assert refusal(b"line;section;row;seat;unit_price\n1;S;A;1;1.234,50\n").errors[0].code == "not_a_number"


def test_all_bad_lines_are_collected_up_to_a_hundred() -> None:
    refused = refusal(b"line,section,row,seat\n" + b"1,S,A\n" * 500)

    assert len(refused.errors) == 100
    assert refused.errors[-1].pointer == "/lines/101"


def test_a_seat_named_twice_is_read_and_judged_later_with_the_rest_of_the_delivery() -> None:
    seats = parse_delivery_csv(b"line,section,row,seat\n1,S,A,1\n2,S,A,1\n1,S,A,1 \n")

    assert [(seat.line, seat.seat) for seat in seats] == [(1, "1"), (2, "1"), (1, "1")]


def test_a_seat_named_twice_hides_no_bad_line() -> None:
    refused = refusal(b"line,section,row,seat\n" + b"1,S,A,1\n" * 200 + b"1,S,A\n")

    assert [(fault.pointer, fault.code) for fault in refused.errors] == [("/lines/202", "wrong_columns")]


def test_a_file_has_an_end() -> None:
    assert refusal(b"line,section,row,seat" + b"\n" * 100_002).errors[0].code == "too_many_lines"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    outcome: tuple[object, ...]

    try:
        outcome = parse_delivery_csv(b"line;section;row;seat;unit_price\n" + tail)
    except Refused as refused:
        outcome = refused.errors

    assert outcome


def test_prices_are_compared_with_the_order() -> None:
    seats = [
        a_seat(number=2, unit_price="20"),
        a_seat(number=3),
        a_seat(number=4, unit_price="21"),
        a_seat(2, number=5),
    ]

    with pytest.raises(Refused) as caught:
        check_prices(seats, agreed={1: Decimal("20.0000"), 2: Decimal(9)})

    assert caught.value.code == "price_mismatch"
    assert [fault.pointer for fault in caught.value.errors] == ["/lines/4"]


def test_a_line_the_order_does_not_have_comes_before_prices() -> None:
    with pytest.raises(Refused) as caught:
        check_prices([a_seat(unit_price="1"), a_seat(7, number=3)], agreed={1: Decimal(20)})

    assert caught.value.code == "invalid"
    assert [(fault.pointer, fault.code) for fault in caught.value.errors] == [("/lines/3", "unknown_line")]


def test_a_seat_named_on_two_lines_is_refused_at_the_second() -> None:
    pointer = "/lines/1/seats/0"

    with pytest.raises(Refused) as caught:
        refuse_duplicates([("x", "/lines/0/seats/0"), ("y", pointer), ("x", pointer), ("y", pointer)])

    assert caught.value.code == "duplicate_seat"
    assert [fault.pointer for fault in caught.value.errors] == [pointer, pointer]
    refuse_duplicates([("x", pointer), ("y", pointer)])


def test_a_block_gives_its_first_seats_or_nothing() -> None:
    assert take_block(["1", "2", "3"], 2) == ("1", "2")
    assert take_block(["1", "2"], 2) == ("1", "2")
    with pytest.raises(Refused, match="block_too_small") as caught:
        take_block(["1", "2"], 3)
    assert caught.value.facts == {"available": 2, "requested": 3}


def test_a_line_takes_no_more_than_it_has_open() -> None:
    line = LineFacts(10, confirmed=8, received=3, rejected=2)

    check_open(line, 5, line_number=2)
    with pytest.raises(Refused, match="over_delivery") as caught:
        check_open(line, 6, line_number=2)
    assert caught.value.facts == {"line": 2, "open": 5, "delivered": 6}


@given(st.decimals(0, 10_000, places=4), st.integers(1, 400))
def test_seats_cost_their_line_to_the_cent(unit_price: Decimal, quantity: int) -> None:
    costs = seat_costs(unit_price, quantity, "EUR")

    assert Money.total(costs, currency="EUR") == line_total(quantity, unit_price, "EUR")
    assert list(costs) == sorted(costs, reverse=True)
    assert costs[0].amount - costs[-1].amount <= Decimal("0.01")


def test_the_fingerprint_is_of_the_content_and_not_of_its_spelling() -> None:
    one = {"line_id": "a", "seats": ["S/A/1"], "retail_price": Decimal(35)}
    same = {"seats": ("S/A/1",), "retail_price": Decimal("35.00"), "line_id": "a"}

    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint({**one, "seats": ["S/A/2"]})
