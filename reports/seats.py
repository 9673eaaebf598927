"""A delivery's seats as a reader checks them: section by section, row by row, neighbours folded into ranges."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.selectors import SeatName, fold


@dataclass(frozen=True)
class Row:
    """One row of a section: `seats` is ranges in words (`1-25, 27`), `count` how many seats they are."""

    name: str
    seats: str
    count: int


@dataclass(frozen=True)
class Section:
    """One section with its rows."""

    name: str
    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        """How many seats the section has in this delivery."""
        return sum(row.count for row in self.rows)


def by_section(seats: Sequence[SeatName]) -> tuple[Section, ...]:
    """Fold seats into sections and rows, in human order; a seat without a row stands under a dash."""
    counts = Counter((section, row) for section, row, _ in seats)
    sections = groupby(fold(seats), key=lambda folded: folded.section)
    return tuple(
        Section(name=name, rows=tuple(Row(f.row or "\u2013", f.seats, counts[f.section, f.row]) for f in folded))
        for name, folded in sections
    )
