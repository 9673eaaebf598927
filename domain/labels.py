"""Seat labels: what text may be one, and the key that sorts labels as people read them."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from domain.states import Refused

LabelKind = Literal["section", "row", "seat"]

MAX_LABEL = 40
# Below every character a label may have, so that a shorter label sorts before its continuation.
_SEPARATOR = "\x01"
_RUN = re.compile(r"[0-9]+|[^0-9]+", re.ASCII)
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_RESERVED = "/,*"


@lru_cache(maxsize=16_384)
def sort_key(label: str) -> str:
    """Text that compares by code point (Postgres C collation) as people read: 2 < 007 < 10 < 12 < 12A < A < Ä < B.

    Digit runs compare as numbers of any length, letters without case and accents; ties are broken by the label itself,
    so different labels never have the same key. No NUL in the key unless the label has one.
    """
    runs = _RUN.findall(label)
    return "".join(_digits(run) if run[0] in "0123456789" else _letters(run) for run in runs) + _SEPARATOR + label


def seat_key(section: str, row: str, seat: str) -> str:
    """The key of a seat within its hall: by section, then row, then seat."""
    return _SEPARATOR.join((sort_key(section), sort_key(row), sort_key(seat)))


def check_label(kind: LabelKind, text: str, *, pointer: str | None = None) -> str:
    """The label in NFC, stripped, any Unicode blank as a plain one. Raises Refused `invalid_label` (contract section 4)."""
    label = "".join(" " if unicodedata.category(char) == "Zs" else char for char in unicodedata.normalize("NFC", text))
    label = label.strip(" ")
    problem = _problem(kind, label)
    if problem:
        raise Refused("invalid_label", problem, pointer=pointer)
    return label


def _problem(kind: LabelKind, label: str) -> str | None:
    if not label:
        return f"A {kind} label is not empty."
    if len(label) > MAX_LABEL:
        return f"A {kind} label has at most {MAX_LABEL} characters, not {len(label)}."
    if any(unicodedata.category(char) in _INVISIBLE for char in label):
        return f"The {kind} label {label!r} has a control or invisible character."
    found = next((char for char in label if char in _RESERVED), None)
    if found is None and kind != "section" and "-" in label:
        found = "-"
    return (
        f"The {kind} label {label!r} has a {found!r}, which stands for something else in seat lists." if found else None
    )


def _digits(run: str) -> str:
    """A number as text that sorts by size: how long its length is, its length, its digits."""
    number = run.lstrip("0") or "0"
    length = str(len(number))
    return f"{len(length)}{length}{number}"


def _letters(run: str) -> str:
    """Without case and accents; control characters become blanks so that they never look like our separator."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFD", run).casefold())
    kept = "".join(char for char in plain if unicodedata.category(char) != "Mn")
    return "".join(max(char, " ") for char in kept)
