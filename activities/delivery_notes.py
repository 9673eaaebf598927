"""A delivery note as its sender wrote it: seat lists, blocks or the lines of a file, and what makes two notes the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import receiving, selectors
from domain.receiving import DeliveredSeat
from domain.states import Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatList:
    """Seats of an order line by selectors; `place` is where the note says so (`/lines/0`)."""

    place: str
    line_id: UUID
    seats: tuple[str, ...]
    retail_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """So many seats of an order line from a section, or from some of its rows, whichever are not owned yet."""

    place: str
    line_id: UUID
    section: str
    rows: str | None
    quantity: int
    retail_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A whole note: from a form (`lists`, `blocks`) or from a file (`rows`). `said_at` is None when it gave no time."""

    reference: str
    said_at: datetime | None
    delivered_at: datetime
    lists: tuple[SeatList, ...] = ()
    blocks: tuple[Block, ...] = ()
    rows: tuple[DeliveredSeat, ...] = ()

    @property
    def items(self) -> tuple[SeatList | Block, ...]:
        """What a form says, line by line."""
        return (*self.lists, *self.blocks)

    def fingerprint(self, line_ids: Mapping[int, UUID]) -> str:
        """The same for the same seats at the same prices, however they were listed (contract section 5, rule 1).

        `line_ids` are the order's, by line number. The time counts only when the sender gave one.
        """
        return receiving.fingerprint([self.said_at, sorted(self._claims(line_ids))])

    def _claims(self, line_ids: Mapping[int, UUID]) -> Iterator[str]:
        listed = [(one, text) for one in self.lists for text in one.seats]
        for (one, _), names in zip(listed, _names([text for _, text in listed]), strict=True):
            for name in names:
                yield "\n".join((str(one.line_id), name, "", _plain(one.retail_price)))
        for block in self.blocks:
            taken = f"{block.section.strip()}/{(block.rows or '*').strip()} x {block.quantity}"
            yield "\n".join((str(block.line_id), taken, "", _plain(block.retail_price)))
        for row in self.rows:
            name = f"{row.section}/{row.row}/{row.seat}"
            yield "\n".join((str(line_ids[row.line]), name, _plain(row.unit_price), _plain(row.retail_price)))

    def payload(self) -> dict[str, Any]:
        """As the operation keeps it; `note_of` reads it back."""
        return {
            "delivery_reference": self.reference,
            "said_at": self.said_at.isoformat() if self.said_at else None,
            "delivered_at": self.delivered_at.isoformat(),
            "lists": [[one.place, str(one.line_id), list(one.seats), _text(one.retail_price)] for one in self.lists],
            "blocks": [
                [one.place, str(one.line_id), one.section, one.rows, one.quantity, _text(one.retail_price)]
                for one in self.blocks
            ],
            "rows": [
                (
                    row.line_number_of_file,
                    row.line,
                    row.section,
                    row.row,
                    row.seat,
                    _text(row.unit_price),
                    _text(row.retail_price),
                )
                for row in self.rows
            ],
        }


def note_of(payload: Mapping[str, Any]) -> Note:
    """The note an operation was asked to carry out."""
    return Note(
        reference=payload["delivery_reference"],
        said_at=datetime.fromisoformat(payload["said_at"]) if payload["said_at"] else None,
        delivered_at=datetime.fromisoformat(payload["delivered_at"]),
        lists=tuple(
            SeatList(place=place, line_id=UUID(line_id), seats=tuple(seats), retail_price=_number(retail))
            for place, line_id, seats, retail in payload["lists"]
        ),
        blocks=tuple(
            Block(
                place=place,
                line_id=UUID(line_id),
                section=section,
                rows=rows,
                quantity=quantity,
                retail_price=_number(retail),
            )
            for place, line_id, section, rows, quantity, retail in payload["blocks"]
        ),
        rows=tuple(
            DeliveredSeat(number, line, section, row, seat, _number(unit), _number(retail))
            for number, line, section, row, seat, unit, retail in payload["rows"]
        ),
    )


def _names(texts: Sequence[str]) -> list[list[str]]:
    """Every seat that each selector names, one by one; `*` stays `*`, and what cannot be read stays as it is.

    So does all of a note that names more seats than a delivery may: nothing like it was ever taken in.
    """
    named: list[list[str]] = []
    size = 0
    for text in texts:
        try:
            selector = selectors.parse(text)
        except Refused:
            named.append([text])
            continue
        size += selector.size
        if size > selectors.MAX_SEATS:
            return [[text] for text in texts]
        rows, seats = selector.rows or ("*",), selector.seats or ("*",)
        named.append([f"{selector.section}/{row}/{seat}" for row in rows for seat in seats])
    return named


def _plain(price: Decimal | None) -> str:
    """85 and 85.00 are one price."""
    return "" if price is None else format(price.normalize() + 0, "f")


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
