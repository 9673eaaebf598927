"""Deliveries: reading a supplier's seat list, what a line may still take, and what each delivered seat cost."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

from domain import fingerprints
from domain.money import Money, split
from domain.purchasing import LineFacts, check_unit_price, line_total
from domain.states import Fault, Refused
from domain.tables import MAX_FAULTS, Columns, Line, read_table

T = TypeVar("T")

_COLUMNS = Columns(required=("line", "section", "row", "seat"), optional=("unit_price", "retail_price"))


@dataclass(frozen=True, slots=True)
class DeliveredSeat:
    """One line of a delivery file: the order line's number, the seat, and the prices if the file says them."""

    line_number_of_file: int
    line: int
    section: str
    row: str
    seat: str
    unit_price: Decimal | None
    retail_price: Decimal | None

    @property
    def pointer(self) -> str:
        return f"/lines/{self.line_number_of_file}"


def parse_delivery_csv(data: bytes, *, currency: str | None = None) -> tuple[DeliveredSeat, ...]:
    """The seats of `line,section,row,seat[,unit_price][,retail_price]` in the file's order (contract section 5).

    Unit prices have up to 4 decimals; with a `currency` retail prices have its decimals, else up to 4.
    Raises Refused `invalid` with a Fault per bad line. A seat named twice is no bad line: whether the reference is known
    and the order takes deliveries is asked before that (rules 1 and 2), see refuse_duplicates.
    """
    return read_table(data, columns=_COLUMNS, parse=partial(_delivered_seat, currency=currency))


def check_prices(seats: Iterable[DeliveredSeat], *, agreed: dict[int, Decimal]) -> None:
    """Compares the file's unit prices with the order lines' (by line number).

    Raises Refused `invalid` for a line number that the order does not have, else `price_mismatch`.
    """
    unknown: list[Fault] = []
    different: list[Fault] = []
    for seat in seats:
        price = agreed.get(seat.line)
        if price is None:
            unknown.append(Fault(seat.pointer, "unknown_line", f"The order has no line {seat.line}."))
        elif seat.unit_price is not None and seat.unit_price != price:
            words = f"The order's line {seat.line} says {price}, this file {seat.unit_price}."
            different.append(Fault(seat.pointer, "price_mismatch", words))
    _raise_first("invalid", unknown)
    _raise_first("price_mismatch", different)


def refuse_duplicates(named: Iterable[tuple[Hashable, str]]) -> None:
    """Whether a seat is named twice in one delivery, over all its lines: (what the seat is known by, JSON pointer).

    Raises Refused `duplicate_seat` with a Fault at every repetition.
    """
    seen: dict[Hashable, str] = {}
    faults = []
    for seat, pointer in named:
        if seat in seen:
            faults.append(Fault(pointer, "duplicate_seat", f"The same seat as at {seen[seat]}."))
        seen.setdefault(seat, pointer)
    _raise_first("duplicate_seat", faults)


def take_block(seats: Sequence[T], quantity: int) -> tuple[T, ...]:
    """The first `quantity` of a block's free seats, given in human order. Raises Refused `block_too_small`."""
    if quantity > len(seats):
        words = f"The block has {len(seats)} seats left to deliver, not {quantity}."
        raise Refused("block_too_small", words, facts={"available": len(seats), "requested": quantity})
    return tuple(seats[:quantity])


def check_open(line: LineFacts, delivered: int, *, line_number: int | None = None) -> None:
    """A line never receives more than it has open. Raises Refused `over_delivery` naming line, open and delivered."""
    if delivered > line.open:
        which = "The line" if line_number is None else f"Line {line_number}"
        words = f"{which} has {line.open} seats open, and {delivered} were delivered."
        raise Refused("over_delivery", words, facts={"line": line_number, "open": line.open, "delivered": delivered})


def seat_costs(unit_price: Decimal, quantity: int, currency: str) -> tuple[Money, ...]:
    """What each seat of a receipt line cost, in human order: the line's amount, split by largest remainder."""
    return split(line_total(quantity, unit_price, currency), [1] * quantity)


def fingerprint(content: object) -> str:
    """The identity of a delivery's normalised content: the same reference with another fingerprint is refused."""
    return fingerprints.of(content)


def _delivered_seat(line: Line, *, currency: str | None) -> DeliveredSeat:
    unit_price, retail_price = line.decimal("unit_price"), line.decimal("retail_price")
    for price in (unit_price, retail_price):
        if price is not None:
            check_unit_price(price)
    if currency is not None and retail_price is not None:
        retail_price = Money(retail_price, currency).amount
    return DeliveredSeat(
        line_number_of_file=line.number,
        line=line.whole("line"),
        section=line.label("section"),
        row=line.label("row"),
        seat=line.label("seat"),
        unit_price=unit_price,
        retail_price=retail_price,
    )


def _raise_first(code: str, faults: Sequence[Fault]) -> None:
    if faults:
        raise Refused(code, faults[0].message, errors=tuple(faults[:MAX_FAULTS]))
