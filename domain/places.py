"""Venues: the seat list of a hall as it is imported."""

from dataclasses import dataclass
from decimal import Decimal

from domain.tables import Columns, Line, read_table

_COLUMNS = Columns(required=("section", "row", "seat"), optional=("seat_type", "x", "y"))


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One seat of an imported hall; what the file does not say is None. Coordinates have 3 decimals."""

    line_number_of_file: int
    section: str
    row: str
    seat: str
    seat_type: str | None
    x: Decimal | None
    y: Decimal | None


def parse_seat_csv(data: bytes) -> tuple[SeatLine, ...]:
    """The seats of `section,row,seat[,seat_type,x,y]` in the file's order (contract section 4).

    Raises Refused as tables.read_table does: every bad line is named, the same seat twice included.
    """
    return read_table(data, columns=_COLUMNS, parse=_seat_line, key=lambda line: (line.section, line.row, line.seat))


def _seat_line(line: Line) -> SeatLine:
    return SeatLine(
        line_number_of_file=line.number,
        section=line.label("section"),
        row=line.label("row"),
        seat=line.label("seat"),
        seat_type=line.text("seat_type"),
        x=line.coordinate("x"),
        y=line.coordinate("y"),
    )
