"""What a delivery would do: the receiving rules in the contract's order, with or without holding the seats meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from activities.delivery_notes import Block, Note, SeatList
from db import receiving as rows
from db.purchasing import Line, OrderWithLines
from db.receiving import HallSeat
from db.transaction import Tx
from domain import receiving, selectors
from domain.money import Money
from domain.purchasing import ORDER, OrderStatus, line_total
from domain.receiving import DeliveredSeat
from domain.selectors import SeatName, Selector
from domain.states import Fault, Refused

MAX_NAMED, MAX_FAULTS = 25, 100

Hall = dict[SeatName, HallSeat]


class Picked(NamedTuple):
    """A seat for a line; `pointer` is where the note names it."""

    line: Line
    seat: HallSeat
    retail_price: Decimal | None
    pointer: str


class Named(NamedTuple):
    """A selector of the note that has been read; `pointer` is where it stands."""

    item: SeatList
    selector: Selector
    pointer: str


class Terms(NamedTuple):
    """What seats of a line that are alike have in common; `cost` is each one's own."""

    section: str
    cost: Money
    retail_price: Decimal | None


class WantedBlock(NamedTuple):
    """Seats of a block in human order, some of which a line takes."""

    line: Line
    seats: Sequence[HallSeat]
    block: Block


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What one order line gets: seats in human order, and those among them that are alike; `amount` is what they cost."""

    line: Line
    picked: Sequence[Picked]
    alike: Mapping[Terms, tuple[UUID, ...]]
    amount: Money

    @property
    def quantity(self) -> int:
        """How many seats."""
        return len(self.picked)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a delivery does to an order."""

    known: OrderWithLines
    lines: tuple[LinePlan, ...]
    total: Money

    @property
    def quantity(self) -> int:
        """How many seats in all."""
        return sum(line.quantity for line in self.lines)


def check_lines(known: OrderWithLines, note: Note) -> None:
    """Every line the note names is the order's. Raises Refused `unknown_id`, or `invalid` for a line of a file."""
    ids, numbers = {line.id for line in known.lines}, {line.line_number for line in known.lines}
    unknown = [
        Fault(f"{item.place}/line_id", "unknown_id", f"The order has no line {item.line_id}.")
        for item in note.items
        if item.line_id not in ids
    ]
    if unknown:
        raise Refused("unknown_id", unknown[0].message, errors=tuple(unknown[:MAX_FAULTS]))
    strange = [
        Fault(row.pointer, "unknown_line", f"The order has no line {row.line}.")
        for row in note.rows
        if row.line not in numbers
    ]
    if strange:
        raise Refused("invalid", strange[0].message, errors=tuple(strange[:MAX_FAULTS]))


def plan(tx: Tx, known: OrderWithLines, note: Note, *, lock: bool) -> Plan:
    """Rules 2 to 6 of contract section 5. With `lock` the seats stay locked until the transaction ends.

    Raises Refused `not_receivable`, `invalid_selector`, `no_such_seat`, `duplicate_seat`, `seat_already_owned`,
    `over_delivery`, `block_too_small`, `price_mismatch`.
    """
    ORDER.after(known.status, "receive", to=OrderStatus.COMPLETED)
    halls = _halls(tx, known, note)
    picked = [*_listed(known, note.lists, halls), *_filed(known, note, halls)]
    blocks = _wanted(known, note.blocks, halls)
    free = _free(tx, picked, blocks, lock=lock)
    _refuse_owned(tx, [one for one in picked if one.seat.id not in free])
    _refuse_excess(known, note, picked)
    picked += _from_blocks(picked, blocks, free)
    receiving.check_prices(note.rows, agreed={line.line_number: line.unit_price for line in known.lines})
    by_line: dict[UUID, list[Picked]] = {}
    for one in picked:
        by_line.setdefault(one.line.id, []).append(one)
    currency = known.order.currency
    lines = tuple(_costed(line, by_line[line.id], currency) for line in known.lines if line.id in by_line)
    return Plan(known, lines, Money.total((line.amount for line in lines), currency=currency))


def _halls(tx: Tx, known: OrderWithLines, note: Note) -> dict[UUID, Hall]:
    """The seats of the events and sections that the note is about, by event and name, in human order."""
    ids = {item.line_id for item in note.items}
    numbers = {row.line for row in note.rows}
    events = {line.event_id for line in known.lines if line.id in ids or line.line_number in numbers}
    halls: dict[UUID, Hall] = {event: {} for event in events}
    for seat in rows.hall(tx, event_ids=list(events), sections=_sections(note)):
        halls[seat.event_id][seat.name] = seat
    return halls


def _sections(note: Note) -> list[str]:
    """Every section the note can be about; selectors nobody can read are refused later, by name."""
    texts = [text for item in note.lists for text in item.seats]
    named = selectors.sections_of([*texts, *(f"{block.section}/*/*" for block in note.blocks)])
    return [*named, *{row.section for row in note.rows}]


def _listed(known: OrderWithLines, lists: Sequence[SeatList], halls: dict[UUID, Hall]) -> list[Picked]:
    """The seats that selectors name, event by event, so that a seat named under two lines is found out."""
    by_id = {line.id: line for line in known.lines}
    found: list[Picked] = []
    for event_id, named in _by_event(lists, by_id).items():
        pointers = [one.pointer for one in named]
        groups = selectors.find_each(
            [one.selector for one in named], seats=halls[event_id], pointer=pointers.__getitem__
        )
        for (item, _, pointer), group in zip(named, groups, strict=True):
            line = by_id[item.line_id]
            retail = line.retail_price if item.retail_price is None else item.retail_price
            found += [Picked(line, seat, retail, pointer) for seat in group]
    return found


def _by_event(lists: Sequence[SeatList], by_id: Mapping[UUID, Line]) -> dict[UUID, list[Named]]:
    """The note's selectors, all of them read, and counted, before any of them is looked up."""
    named = [(item, text, f"{item.place}/seats/{index}") for item in lists for index, text in enumerate(item.seats)]
    read = selectors.parse_all([text for _, text, _ in named], pointer=lambda index: named[index][2])
    found: dict[UUID, list[Named]] = {}
    for (item, _, pointer), selector in zip(named, read, strict=True):
        found.setdefault(by_id[item.line_id].event_id, []).append(Named(item, selector, pointer))
    return found


def _filed(known: OrderWithLines, note: Note, halls: dict[UUID, Hall]) -> list[Picked]:
    """The seats of a file's lines."""
    by_number = {line.line_number: line for line in known.lines}
    found: list[Picked] = []
    missing: list[DeliveredSeat] = []
    for row in note.rows:
        line = by_number[row.line]
        seat = halls[line.event_id].get((row.section, row.row, row.seat))
        if seat is None:
            missing.append(row)
        else:
            retail = line.retail_price if row.retail_price is None else row.retail_price
            found.append(Picked(line, seat, retail, row.pointer))
    if missing:
        raise _no_such(missing)
    receiving.refuse_duplicates((one.seat.id, one.pointer) for one in found)
    return found


def _no_such(missing: Sequence[DeliveredSeat]) -> Refused:
    names = [f"{row.section}/{row.row}/{row.seat}" for row in missing[: selectors.MAX_MISSING]]
    faults = [
        Fault(row.pointer, "no_such_seat", f"No such seat: {name}.")
        for row, name in zip(missing[:MAX_FAULTS], names, strict=False)
    ]
    return Refused("no_such_seat", faults[0].message, facts={"missing": names}, errors=tuple(faults))


def _wanted(known: OrderWithLines, blocks: Sequence[Block], halls: dict[UUID, Hall]) -> list[WantedBlock]:
    """Blocks with all their seats, event by event; equal blocks of an event share one tuple of them."""
    by_id = {line.id: line for line in known.lines}
    by_event: dict[UUID, list[Block]] = {}
    for block in blocks:
        by_event.setdefault(by_id[block.line_id].event_id, []).append(block)
    found: list[WantedBlock] = []
    for event_id, here in by_event.items():
        places = [f"{block.place}/block" for block in here]
        groups = selectors.resolve_blocks(
            [(block.section, block.rows) for block in here], seats=halls[event_id], pointer=places.__getitem__
        )
        found += [WantedBlock(by_id[block.line_id], seats, block) for block, seats in zip(here, groups, strict=True)]
    return found


def _distinct(blocks: Sequence[WantedBlock]) -> dict[int, Sequence[HallSeat]]:
    """The seats of blocks, once for all blocks that share them."""
    return {id(block.seats): block.seats for block in blocks}


def _free(tx: Tx, picked: Sequence[Picked], blocks: Sequence[WantedBlock], *, lock: bool) -> set[UUID]:
    """Which of the seats in question nobody owns; with `lock` nobody can take them any more."""
    named = {one.seat.id: one.seat.is_free for one in picked}
    named |= {seat.id: True for seats in _distinct(blocks).values() for seat in seats if seat.is_free}
    if lock:
        return rows.lock_seats(tx, list(named))
    return {seat_id for seat_id, is_free in named.items() if is_free}


def _refuse_owned(tx: Tx, owned: Sequence[Picked]) -> None:
    if not owned:
        return
    owners = rows.owners(tx, [one.seat.id for one in owned[:MAX_FAULTS]])
    faults, named = [], []
    for one in owned[:MAX_FAULTS]:
        owner, seat = owners[one.seat.id], "/".join(one.seat.name)
        faults.append(Fault(one.pointer, "seat_already_owned", f"{seat} came by order {owner.po_number} already."))
        fact = {"event_seat_id": str(one.seat.id), "seat": seat, "purchase_order_id": str(owner.purchase_order_id)}
        named.append({**fact, "po_number": owner.po_number})
    more = f" {len(owned)} seats are owned already." if len(owned) > 1 else ""
    raise Refused(
        "seat_already_owned", faults[0].message + more, facts={"seats": named[:MAX_NAMED]}, errors=tuple(faults)
    )


def _refuse_excess(known: OrderWithLines, note: Note, picked: Sequence[Picked]) -> None:
    """No line receives more than it has open, over all that the note says of it."""
    wanted = dict.fromkeys((line.id for line in known.lines), 0)
    for one in picked:
        wanted[one.line.id] += 1
    for block in note.blocks:
        wanted[block.line_id] += block.quantity
    places = {item.line_id: item.place for item in note.items}
    for line in known.lines:
        try:
            receiving.check_open(line.facts, wanted[line.id], line_number=line.line_number)
        except Refused as refused:
            faults = (Fault(places[line.id], refused.code, refused.words),) if line.id in places else ()
            facts = {**refused.facts, "line_id": str(line.id)}
            raise Refused(refused.code, refused.words, facts=facts, errors=faults) from refused


def _from_blocks(picked: Sequence[Picked], blocks: Sequence[WantedBlock], free: set[UUID]) -> list[Picked]:
    """Free seats for each block in turn, none of them twice. Raises Refused `block_too_small` at the block."""
    left = free - {one.seat.id for one in picked}
    # What one block has passed over is gone for every block of the same seats: thousands of them are one walk.
    walks = {key: _those_in(left, seats) for key, seats in _distinct(blocks).items()}
    found: list[Picked] = []
    for line, seats, block in blocks:
        try:
            taken = receiving.take_block(list(islice(walks[id(seats)], block.quantity)), block.quantity)
        except Refused as refused:
            fault = Fault(f"{block.place}/quantity", refused.code, refused.words)
            raise Refused(refused.code, refused.words, facts=refused.facts, errors=(fault,)) from refused
        left.difference_update(seat.id for seat in taken)
        retail = line.retail_price if block.retail_price is None else block.retail_price
        found += [Picked(line, seat, retail, f"{block.place}/block") for seat in taken]
    return found


def _those_in(left: set[UUID], seats: Sequence[HallSeat]) -> Iterator[HallSeat]:
    """The seats that are left when their turn comes."""
    return (seat for seat in seats if seat.id in left)


def _costed(line: Line, picked: list[Picked], currency: str) -> LinePlan:
    """The line's seats in human order with what each of them costs."""
    picked.sort(key=lambda one: one.seat.sort_key)
    costs = receiving.seat_costs(line.unit_price, len(picked), currency)
    alike: dict[Terms, list[UUID]] = {}
    for one, cost in zip(picked, costs, strict=True):
        alike.setdefault(Terms(one.seat.section, cost, one.retail_price), []).append(one.seat.id)
    lots = {terms: tuple(seat_ids) for terms, seat_ids in alike.items()}
    return LinePlan(line, picked, lots, line_total(len(picked), line.unit_price, currency))
