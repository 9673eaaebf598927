"""Bars drawn as SVG for the printed reports: one accent, losses to the left of zero, readable without colour."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from reports.words import one_line

# All lengths are millimetres on the page: the drawing is as wide as a landscape A4 page between its margins.
WIDTH = 273.0
_LABELS = 74.0
_VALUES = 40.0
_STEP = 5.6
_BAR = 3.6
_LABEL_LETTERS = 46
MOST_BARS = 20
_KEPT_WORST = 6
_GAIN = Markup('fill="#17535f"')
_LOSS = Markup('fill="#ffffff" stroke="#17535f" stroke-width="0.4"')


@dataclass(frozen=True)
class Bar:
    """One bar: how long it is, and what is written at its ends."""

    label: str
    value: Decimal
    text: str


@dataclass(frozen=True)
class _Scale:
    zero: float
    per_unit: float

    def length(self, value: Decimal) -> float:
        return abs(float(value)) * self.per_unit


def bars_svg(bars: Sequence[Bar], *, title: str) -> Markup:
    """The bars, longest gain first and deepest loss last; beyond `MOST_BARS` the middle is left out, and says so."""
    best_first = sorted(bars, key=lambda bar: (-bar.value, bar.label))
    shown, left_out = _ends(best_first)
    scale = _scale(shown)
    best = len(shown) - _KEPT_WORST if left_out else len(shown)
    lines = [_bar(bar, scale, at=at + (1 if at >= best else 0)) for at, bar in enumerate(shown)]
    if left_out:
        lines.append(_gap(left_out, at=best))
    height = (len(lines) or 1) * _STEP + 1
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}mm" height="{height}mm"'
        ' font-family="Allotment Sans, sans-serif" font-size="3"><title>{title}</title>{lines}'
        '<line x1="{zero}" x2="{zero}" y1="0" y2="{height}" stroke="#1b2126" stroke-width="0.25"/></svg>'
    ).format(
        width=_mm(WIDTH), height=_mm(height), title=one_line(title), lines=Markup().join(lines), zero=_mm(scale.zero)
    )


def _ends(bars: list[Bar]) -> tuple[list[Bar], int]:
    if len(bars) <= MOST_BARS:
        return bars, 0
    kept = bars[: MOST_BARS - _KEPT_WORST] + bars[-_KEPT_WORST:]
    return kept, len(bars) - len(kept)


def _scale(bars: Sequence[Bar]) -> _Scale:
    """Zero stands so far right as the deepest loss needs, with room for the words at both ends."""
    gain = max((float(bar.value) for bar in bars if bar.value > 0), default=0.0)
    loss = max((-float(bar.value) for bar in bars if bar.value < 0), default=0.0)
    room = WIDTH - _LABELS - _VALUES - (_VALUES if loss else 0)
    per_unit = room / ((gain + loss) or 1)
    return _Scale(zero=_LABELS + (_VALUES if loss else 0) + loss * per_unit, per_unit=per_unit)


def _bar(bar: Bar, scale: _Scale, *, at: int) -> Markup:
    top = at * _STEP + 0.6
    length = scale.length(bar.value)
    loss = bar.value < 0
    start = scale.zero - length if loss else scale.zero
    return Markup(
        '<text x="0" y="{base}" fill="#1b2126">{label}</text>'
        '<rect x="{start}" y="{top}" width="{length}" height="{bar}" {look}/>'
        '<text x="{end}" y="{base}" text-anchor="{anchor}" fill="#1b2126">{text}</text>'
    ).format(
        base=_mm(top + 2.8),
        label=_fitted(bar.label),
        start=_mm(start),
        top=_mm(top),
        length=_mm(length),
        bar=_mm(_BAR),
        look=_LOSS if loss else _GAIN,
        end=_mm(start - 1.5 if loss else start + length + 1.5),
        anchor="end" if loss else "start",
        text=bar.text,
    )


def _gap(left_out: int, *, at: int) -> Markup:
    words = Markup('<text x="0" y="{base}" fill="#5a6670">… {count} more between, in the table</text>')
    return words.format(base=_mm(at * _STEP + 3.4), count=left_out)


def _fitted(label: str) -> str:
    """The label cut to the width that is kept for it; wide letters count twice."""
    kept, width = "", 0
    for letter in one_line(label):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > _LABEL_LETTERS:
            return kept.rstrip() + "…"
        kept += letter
    return kept


def _mm(length: float) -> str:
    return f"{length:.2f}"
