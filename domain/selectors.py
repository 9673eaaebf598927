"""Selectors: the short text that names seats, `Stalls/A/1-25`, read strictly, resolved fast, and folded back for papers."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from domain.labels import check_label, sort_key
from domain.states import Fault, Refused

T = TypeVar("T")
SeatName = tuple[str, str, str]
Pointer = Callable[[int], str]
# section -> row -> seats; a dict where a set would do, because it keeps the order it was given.
_Hall = dict[str, dict[str, dict[str, None]]]

MAX_SEATS = 100_000
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
        selector = Selector(text, check_label("section", section), _parse_rows(rows), _parse_seats(seats))
    except Refused as refused:
        raise _invalid(text, refused.words) from refused
    if len(selector.rows or "1") * len(selector.seats or "1") > MAX_SEATS:
        raise _invalid(text, f"it names more than {MAX_SEATS:,} seats")
    return selector


def resolve(texts: Sequence[str], *, seats: Mapping[SeatName, T], pointer: Pointer) -> tuple[T, ...]:
    """The seats that the selectors name, in the selectors' order, `*` in human order; see resolve_each."""
    return tuple(seat for group in resolve_each(texts, seats=seats, pointer=pointer) for seat in group)


def resolve_each(texts: Sequence[str], *, seats: Mapping[SeatName, T], pointer: Pointer) -> tuple[tuple[T, ...], ...]:
    """One group of seats per selector. `seats` maps (section, row, seat) to whatever the caller knows a seat by.

    `pointer` gives the JSON pointer of the selector at an index. Raises Refused `invalid_selector`, `no_such_seat`
    (naming what is missing) or `duplicate_seat`, each with one Fault per selector, in this order of precedence.
    """
    selectors = _parse_all(texts, pointer)
    named = _find_all(selectors, hall=_index(seats), limit=len(seats), pointer=pointer)
    _refuse_repeated(named, pointer)
    return tuple(tuple(seats[name] for name in group) for group in named)


def resolve_block(section: str, *, rows: str | None, seats: Mapping[SeatName, T], pointer: str) -> tuple[T, ...]:
    """Every seat of a section, or of some of its rows, in human order. Raises Refused as resolve does."""
    text = f"{section}/{'*' if rows is None else rows}/*"
    return resolve([text], seats=seats, pointer=lambda _: pointer)


def fold(seats: Iterable[SeatName]) -> list[Folded]:
    """Seats as ranges per row, in human order: three or more consecutive plain numbers become `1-25`."""
    rows: dict[tuple[str, str], list[str]] = {}
    for section, row, seat in seats:
        rows.setdefault((section, row), []).append(seat)
    ordered = sorted(rows, key=lambda key: (sort_key(key[0]), sort_key(key[1])))
    return [Folded(section, row, _fold_row(rows[section, row])) for section, row in ordered]


def _index(seats: Iterable[SeatName]) -> _Hall:
    hall: _Hall = {}
    for section, row, seat in seats:
        hall.setdefault(section, {}).setdefault(row, {})[seat] = None
    return hall


def _find(selector: Selector, *, hall: _Hall) -> tuple[list[SeatName], list[str]]:
    """The seats found, and the text of what does not exist. Only `*` pays for putting labels in order."""
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
            continue
        wanted = sorted(here, key=sort_key) if selector.seats is None else selector.seats
        found += [(section, row, seat) for seat in wanted if seat in here]
        lost += [f"{section}/{row}/{seat}" for seat in wanted if seat not in here]
    return found, lost


def _parse_all(texts: Sequence[str], pointer: Pointer) -> list[Selector]:
    selectors: list[Selector] = []
    faults: list[Fault] = []
    size = 0
    for index, text in enumerate(texts):
        try:
            selector = parse(text)
        except Refused as refused:
            faults.append(Fault(pointer(index), "invalid_selector", refused.words))
        else:
            selectors.append(selector)
            size += len(selector.rows or "1") * len(selector.seats or "1")
        if size > MAX_SEATS:
            faults.append(Fault(pointer(index), "invalid_selector", f"More than {MAX_SEATS:,} seats in one list."))
        if size > MAX_SEATS or len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise Refused("invalid_selector", faults[0].message, errors=tuple(faults))
    return selectors


def _find_all(selectors: Sequence[Selector], *, hall: _Hall, limit: int, pointer: Pointer) -> list[list[SeatName]]:
    """Stops once more seats are named than there are: some are then named twice, and the caller finds which."""
    named: list[list[SeatName]] = []
    faults: list[Fault] = []
    missing: list[str] = []
    total = 0
    for index, selector in enumerate(selectors):
        found, lost = _find(selector, hall=hall)
        named.append(found)
        total += len(found)
        if lost:
            missing += lost[:_MAX_NAMED]
            faults.append(Fault(pointer(index), "no_such_seat", f"No such seat: {_listed(lost)}."))
        if total > limit or len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise Refused("no_such_seat", faults[0].message, facts={"missing": missing}, errors=tuple(faults))
    return named


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


def _parse_rows(text: str) -> tuple[str, ...] | None:
    if text == "*":
        return None
    if "-" not in text:
        return (check_label("row", text),)
    return _numbers(text) or _letters(text) or _no_range(text)


def _parse_seats(text: str) -> tuple[str, ...] | None:
    if text == "*":
        return None
    return tuple(label for item in text.split(",") for label in _seat_item(item.strip()))


def _seat_item(text: str) -> tuple[str, ...]:
    if "-" not in text:
        return (check_label("seat", text),)
    return _numbers(text) or _no_range(text)


def _numbers(text: str) -> tuple[str, ...]:
    match = _NUMBERS.fullmatch(text)
    return _between(int(match[1]), int(match[2]), text=text, label=str) if match else ()


def _letters(text: str) -> tuple[str, ...]:
    match = _LETTERS.fullmatch(text)
    if not match:
        return ()
    first, last = (part for part in match.groups() if part)
    base = "A" if first.isupper() else "a"
    return _between(_ordinal(first), _ordinal(last), text=text, label=lambda number: _row_letters(number, base))


def _between(first: int, last: int, *, text: str, label: Callable[[int], str]) -> tuple[str, ...]:
    if last < first:
        raise Refused("invalid_selector", f"the range {text} runs backward")
    if last - first >= MAX_SEATS:
        raise Refused("invalid_selector", f"the range {text} has more than {MAX_SEATS:,} labels")
    return tuple(label(number) for number in range(first, last + 1))


def _no_range(text: str) -> tuple[str, ...]:
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
    return ", ".join(labels[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


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
