"""Selectors: the short text that names seats, `Stalls/A/1-25`, read strictly, resolved fast, and folded back for papers."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn, TypeVar

from domain.labels import check_label, sort_key
from domain.states import Fault, Refused

T = TypeVar("T")
SeatName = tuple[str, str, str]
Pointer = Callable[[int], str]
# section -> row -> seats; a dict where a set would do, because it keeps the order it was given.
_Hall = dict[str, dict[str, dict[str, None]]]

MAX_SEATS = 100_000
"""What one selector, one list of selectors or one delivery note may name; `*` counts as one."""
MAX_MISSING = 2_000
"""How many missing seats a refusal names one by one."""
MAX_IN_BLOCKS = 10 * MAX_SEATS
"""What different blocks of one event may hold in all, a seat counted in every block it lies in."""
_MAX_FAULTS = 100
_MAX_NAMED = 25
_NUMBERS = re.compile(r"([0-9]{1,18}) *- *([0-9]{1,18})", re.ASCII)
_LETTERS = re.compile(r"([A-Z]{1,6}) *- *([A-Z]{1,6})|([a-z]{1,6}) *- *([a-z]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selector:
    """`section/row/seat` taken apart. `rows` and `seats` are labels in the order named; None is `*`, every one."""

    text: str
    section: str
    rows: tuple[str, ...] | None
    seats: tuple[str, ...] | None

    @property
    def size(self) -> int:
        """How many seats it names; `*` counts as one."""
        return len(self.rows or "1") * len(self.seats or "1")


class _Run(NamedTuple):
    """One label, or a range of them, counted before anything is written out: a short text may name millions."""

    numbers: range
    label: Callable[[int], str]


class Folded(NamedTuple):
    """The seats of one row as a paper prints them: `1-25, 30, 32A`."""

    section: str
    row: str
    seats: str


def parse(text: str) -> Selector:
    """A selector by the grammar of contract section 5. Raises Refused `invalid_selector`.

    Section: one label. Row: one label, a range `A-F` or `1-5`, or `*`. Seat: a list of labels and ranges `1-25`
    (the decimal text of each number, both ends in), or `*`.
    """
    parts = text.split("/")
    if len(parts) != 3:  # noqa: PLR2004 -- section, row, seat
        raise _invalid(text, "a selector is section/row/seat")
    section, rows, seats = (part.strip() for part in parts)
    try:
        label, row_runs, seat_runs = check_label("section", section), _row_runs(rows), _seat_runs(seats)
    except Refused as refused:
        raise _invalid(text, refused.words) from refused
    if _length(row_runs) * _length(seat_runs) > MAX_SEATS:
        raise _invalid(text, f"it names more than {MAX_SEATS:,} seats")
    return Selector(text, label, _written(row_runs), _written(seat_runs))


def sections_of(texts: Iterable[str]) -> list[str]:
    """The sections that selectors are about, without reading what they name there; those nobody can read are left out."""
    return sorted({section for section in map(_section_of, texts) if section is not None})


def parse_all(texts: Sequence[str], *, pointer: Pointer) -> list[Selector]:
    """Every selector of a list. Raises Refused `invalid_selector` with a Fault for each that is none, or for too many seats.

    `pointer` gives the JSON pointer of the selector at an index.
    """
    selectors: list[Selector] = []
    faults: list[Fault] = []
    size = 0
    for index, text in enumerate(texts):
        try:
            selectors.append(parse(text))
            size += selectors[-1].size
        except Refused as refused:
            faults.append(Fault(pointer(index), "invalid_selector", refused.words))
        if size > MAX_SEATS:
            faults.append(Fault(pointer(index), "invalid_selector", f"More than {MAX_SEATS:,} seats at once."))
        if size > MAX_SEATS or len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise Refused("invalid_selector", faults[0].message, errors=tuple(faults))
    return selectors


def resolve(texts: Sequence[str], *, seats: Mapping[SeatName, T], pointer: Pointer) -> tuple[T, ...]:
    """The seats that the selectors name, in the selectors' order, `*` in human order; see resolve_each."""
    return tuple(seat for group in resolve_each(texts, seats=seats, pointer=pointer) for seat in group)


def resolve_each(texts: Sequence[str], *, seats: Mapping[SeatName, T], pointer: Pointer) -> tuple[tuple[T, ...], ...]:
    """One group of seats per selector: parse_all, then find_each, and refused as they refuse, in this order."""
    return find_each(parse_all(texts, pointer=pointer), seats=seats, pointer=pointer)


def find_each(
    selectors: Sequence[Selector], *, seats: Mapping[SeatName, T], pointer: Pointer
) -> tuple[tuple[T, ...], ...]:
    """One group of seats per selector. `seats` maps (section, row, seat) to whatever the caller knows a seat by.

    Raises Refused `no_such_seat` (naming what is missing) or `duplicate_seat`, each with one Fault per selector, in
    this order of precedence.
    """
    named = _find_all(selectors, hall=_index(seats), limit=len(seats), pointer=pointer)
    _refuse_repeated(named, pointer)
    return tuple(tuple(seats[name] for name in group) for group in named)


def resolve_blocks(
    blocks: Sequence[tuple[str, str | None]], *, seats: Mapping[SeatName, T], pointer: Pointer
) -> tuple[tuple[T, ...], ...]:
    """Every seat of each block, in human order: a section, or some rows of it. Blocks may overlap; equal ones are one tuple.

    Raises Refused `invalid_selector` (also when their overlaps name far more seats than there are) or `no_such_seat`.
    """
    texts = [f"{section}/{'*' if rows is None else rows}/*" for section, rows in blocks]
    hall = _index(seats)
    known: dict[str, tuple[T, ...]] = {}
    total = 0
    for index, block in enumerate(parse_all(texts, pointer=pointer)):
        if block.text not in known:
            rows = None if block.rows is None else tuple(sorted(block.rows, key=sort_key))
            found, lost = _find(replace(block, rows=rows), hall=hall, limit=len(seats))
            if lost:
                raise _missing(lost, (Fault(pointer(index), "no_such_seat", f"No such seat: {_listed(lost)}."),))
            known[block.text] = tuple(seats[name] for name in found)
            total += len(found)
        if total > MAX_IN_BLOCKS:
            words = f"These blocks lie one over the other: more than {MAX_IN_BLOCKS:,} seats in all."
            raise Refused("invalid_selector", words, pointer=pointer(index))
    return tuple(known[text] for text in texts)


def fold(seats: Iterable[SeatName]) -> list[Folded]:
    """Seats as ranges per row, in human order: three or more consecutive plain numbers become `1-25`."""
    rows: dict[tuple[str, str], list[str]] = {}
    for section, row, seat in seats:
        rows.setdefault((section, row), []).append(seat)
    ordered = sorted(rows, key=lambda key: (sort_key(key[0]), sort_key(key[1])))
    return [Folded(section, row, _fold_row(rows[section, row])) for section, row in ordered]


def _section_of(text: str) -> str | None:
    section, *rest = text.split("/")
    if len(rest) != 2:  # noqa: PLR2004 -- row, seat
        return None
    try:
        return check_label("section", section.strip())
    except Refused:
        return None


def _index(seats: Iterable[SeatName]) -> _Hall:
    hall: _Hall = {}
    for section, row, seat in seats:
        hall.setdefault(section, {}).setdefault(row, {})[seat] = None
    return hall


def _find(selector: Selector, *, hall: _Hall, limit: int) -> tuple[list[SeatName], list[str]]:
    """The seats found, and the text of what does not exist. Only `*` pays for putting labels in order.

    Stops after a row that brings either beyond what a caller can use: `*` has as many rows as the hall.
    """
    section = selector.section
    rows = hall.get(section)
    if rows is None:
        return [], [selector.text]
    found: list[SeatName] = []
    lost: list[str] = []
    for row in sorted(rows, key=sort_key) if selector.rows is None else selector.rows:
        here = rows.get(row)
        if here is None:
            lost += [f"{section}/{row}/{seat}" for seat in selector.seats or "*"]
        else:
            wanted = sorted(here, key=sort_key) if selector.seats is None else selector.seats
            found += [(section, row, seat) for seat in wanted if seat in here]
            lost += [f"{section}/{row}/{seat}" for seat in wanted if seat not in here]
        if len(found) > limit or len(lost) > MAX_MISSING:
            break
    return found, lost


def _find_all(selectors: Sequence[Selector], *, hall: _Hall, limit: int, pointer: Pointer) -> list[list[SeatName]]:
    """Stops once more seats are named than there are: some are then named twice, and the caller finds which."""
    named: list[list[SeatName]] = []
    faults: list[Fault] = []
    missing: list[str] = []
    total = 0
    for index, selector in enumerate(selectors):
        found, lost = _find(selector, hall=hall, limit=limit)
        named.append(found)
        total += len(found)
        if lost:
            missing += lost
            faults.append(Fault(pointer(index), "no_such_seat", f"No such seat: {_listed(lost)}."))
        if total > limit or len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise _missing(missing, tuple(faults))
    return named


def _missing(labels: Sequence[str], faults: tuple[Fault, ...]) -> Refused:
    return Refused("no_such_seat", faults[0].message, facts={"missing": list(labels[:MAX_MISSING])}, errors=faults)


def _refuse_repeated(named: Sequence[Sequence[SeatName]], pointer: Pointer) -> None:
    seen: set[SeatName] = set()
    faults: list[Fault] = []
    twice: list[str] = []
    for index, group in enumerate(named):
        repeated = _already_in(seen, group)
        if repeated:
            twice += repeated[:_MAX_NAMED]
            faults.append(Fault(pointer(index), "duplicate_seat", f"Named twice: {_listed(repeated)}."))
        if len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise Refused("duplicate_seat", faults[0].message, facts={"duplicates": twice}, errors=tuple(faults))


def _already_in(seen: set[SeatName], group: Sequence[SeatName]) -> list[str]:
    """The seats of the group named before, in this group or an earlier one; all of the group are seen afterwards."""
    repeated = []
    for name in group:
        if name in seen:
            repeated.append("/".join(name))
        seen.add(name)
    return repeated


def _row_runs(text: str) -> list[_Run] | None:
    if text == "*":
        return None
    if "-" not in text:
        return [_one(check_label("row", text))]
    return [_numbers(text) or _letters(text) or _no_range(text)]


def _seat_runs(text: str) -> list[_Run] | None:
    return None if text == "*" else [_seat_run(item.strip()) for item in text.split(",")]


def _seat_run(text: str) -> _Run:
    if "-" not in text:
        return _one(check_label("seat", text))
    return _numbers(text) or _no_range(text)


def _one(label: str) -> _Run:
    return _Run(range(1), lambda _: label)


def _numbers(text: str) -> _Run | None:
    match = _NUMBERS.fullmatch(text)
    return _between(int(match[1]), int(match[2]), text=text, label=str) if match else None


def _letters(text: str) -> _Run | None:
    match = _LETTERS.fullmatch(text)
    if not match:
        return None
    first, last = (part for part in match.groups() if part)
    base = "A" if first.isupper() else "a"
    return _between(_ordinal(first), _ordinal(last), text=text, label=lambda number: _row_letters(number, base))


def _between(first: int, last: int, *, text: str, label: Callable[[int], str]) -> _Run:
    if last < first:
        raise Refused("invalid_selector", f"the range {text} runs backward")
    if last - first >= MAX_SEATS:
        raise Refused("invalid_selector", f"the range {text} has more than {MAX_SEATS:,} labels")
    return _Run(range(first, last + 1), label)


def _length(runs: Sequence[_Run] | None) -> int:
    return 1 if runs is None else sum(len(run.numbers) for run in runs)


def _written(runs: Sequence[_Run] | None) -> tuple[str, ...] | None:
    return None if runs is None else tuple(run.label(number) for run in runs for number in run.numbers)


def _no_range(text: str) -> NoReturn:
    raise Refused("invalid_selector", f"{text!r} is neither a label nor a range such as 1-25 or, for rows, A-F")


def _ordinal(letters: str) -> int:
    """A = 1, Z = 26, AA = 27: rows are lettered as spreadsheets letter columns."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _row_letters(number: int, base: str) -> str:
    letters = ""
    while number:
        number, index = divmod(number - 1, 26)
        letters = chr(ord(base) + index) + letters
    return letters


def _invalid(text: str, why: str) -> Refused:
    return Refused("invalid_selector", f"{text[:80]!r} is not a selector: {why.rstrip('.')}.")


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _MAX_NAMED
    if more <= 0:
        return ", ".join(labels)
    # A search that has found so many missing has been given up.
    rest = f"{more} more" if len(labels) <= MAX_MISSING else "many more"
    return f"{', '.join(labels[:_MAX_NAMED])} and {rest}"


def _fold_row(labels: Iterable[str]) -> str:
    runs: list[list[str]] = []
    for label in sorted(labels, key=sort_key):
        if runs and _follows(runs[-1][-1], label):
            runs[-1].append(label)
        else:
            runs.append([label])
    return ", ".join(", ".join(run) if len(run) <= 2 else f"{run[0]}-{run[-1]}" for run in runs)  # noqa: PLR2004


def _follows(label: str, following: str) -> bool:
    return all(map(_is_plain_number, (label, following))) and int(following) == int(label) + 1


def _is_plain_number(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) <= 18 and (label == "0" or label[0] != "0")  # noqa: PLR2004
