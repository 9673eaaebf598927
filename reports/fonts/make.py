"""Makes the fonts of this folder from Source Sans 3: `python -m reports.fonts.make FOLDER` (README.md says from where)."""

import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.reorderGlyphs import reorderGlyphs
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_unkown

HERE = Path(__file__).parent
WEIGHTS = ("Regular", "Semibold")

# What nearly every paper uses stands first in the file: embedding costs time for every glyph up to the last one used.
FIRST = "U+0020-007E,U+00A0,U+00B7,U+2013,U+2019,U+20AC,U+00A1-00FF,U+2026,U+201C,U+201D,U+2212"
EUROPEAN = (
    "U+0100-017F,U+0192,U+0218-021B,U+02C6,U+02C7,U+02D8-02DD,U+1E9E,U+2010-2015,U+2018-201F,U+2020-2022,U+2030,"
    "U+2032,U+2033,U+2039,U+203A,U+2044,U+20A0-20BF,U+2116,U+2122,U+2190-2193,U+2215,U+2264,U+2265"
)
REST = "U+0020,U+00A0,U+0180-024F,U+0300-0331,U+0370-052F,U+1E00-1FFF,U+2000-206F,U+20A0-20BF,U+2100-22FF"

# Pango sets a space in the font of the word before it, whether or not that font has one.
SPACES = (0x20, 0xA0)

Pairs = Mapping[tuple[str, str], int]


def main(sources: Path) -> None:
    """Write both families in every weight."""
    european = [*subset.parse_unicodes(FIRST), *subset.parse_unicodes(EUROPEAN)]
    rest = [at for at in subset.parse_unicodes(REST) if at in SPACES or at not in european]
    for weight in WEIGHTS:
        source = sources / f"SourceSans3-{weight}.ttf"
        write(source, "Allotment Sans", weight, european)
        write(source, "Allotment Sans Extended", weight, rest)


def write(source: Path, family: str, weight: str, letters: Sequence[int]) -> None:
    """One file: these letters in this order, kerned, renamed, with the same bytes each time it is made."""
    font = TTFont(source, recalcTimestamp=False)
    _keep(font, letters, features=["kern"], without=("BASE", "DSIG", "GSUB"))
    pairs = kerning(font)
    _keep(font, letters, features=[], without=("GDEF", "GPOS"))
    shapes = font.getBestCmap()
    for glyph in font.getGlyphOrder():
        # Letters made of others name them by their place in the file; they are read before the places change.
        font["glyf"][glyph].expand(font["glyf"])
    spelled = [part for letter in letters if letter in shapes for part in _with_parts(font, shapes[letter])]
    wanted = dict.fromkeys([".notdef", *spelled])
    reorderGlyphs(font, [*wanted, *(glyph for glyph in font.getGlyphOrder() if glyph not in wanted)])
    font["kern"] = newTable("kern")
    font["kern"].version = 0
    font["kern"].kernTables = [by_class(pairs, font.getGlyphOrder())]
    _rename(font, family)
    font.save(HERE / f"{family.replace(' ', '')}-{weight}.ttf")


def _with_parts(font: TTFont, glyph: str) -> Iterator[str]:
    """The glyph, and behind it those it is put together from: an `i` is embedded with its dot."""
    yield glyph
    shape = font["glyf"][glyph]
    for part in shape.components if shape.isComposite() else ():
        yield from _with_parts(font, part.glyphName)


def _keep(font: TTFont, letters: Iterable[int], *, features: list[str], without: Iterable[str]) -> None:
    options = subset.Options(hinting=False, layout_features=features, name_IDs=["*"], notdef_outline=True)
    options.drop_tables = [*options.drop_tables, *without]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters)
    cutter.subset(font)


def kerning(font: TTFont) -> Pairs:
    """How much nearer two glyphs stand than their widths say, in font units, as the font's GPOS table has it."""
    gpos = font["GPOS"].table
    lookups = {at for found in gpos.FeatureList.FeatureRecord for at in found.Feature.LookupListIndex}
    pairs: dict[tuple[str, str], int] = {}
    for at in sorted(lookups):
        # In a lookup, the first subtable that knows a pair has the say, even when it says nought.
        said: dict[tuple[str, str], int] = {}
        for subtable in gpos.LookupList.Lookup[at].SubTable:
            for pair, value in _told(getattr(subtable, "ExtSubTable", subtable), font.getGlyphOrder()):
                said.setdefault(pair, value)
        for pair, value in said.items():
            pairs[pair] = pairs.get(pair, 0) + value
    return {pair: value for pair, value in pairs.items() if value}


def _told(subtable: object, glyphs: Sequence[str]) -> Iterable[tuple[tuple[str, str], int]]:
    table: object = subtable
    for at, left in enumerate(table.Coverage.glyphs):  # type: ignore[attr-defined]
        if table.Format == 1:  # type: ignore[attr-defined]
            for record in table.PairSet[at].PairValueRecord:  # type: ignore[attr-defined]
                yield (left, record.SecondGlyph), _advance(record.Value1)
        else:
            row = table.Class1Record[table.ClassDef1.classDefs.get(left, 0)].Class2Record  # type: ignore[attr-defined]
            classes = table.ClassDef2.classDefs  # type: ignore[attr-defined]
            yield from (((left, right), _advance(row[classes.get(right, 0)].Value1)) for right in glyphs)


def _advance(value: object) -> int:
    return int(getattr(value, "XAdvance", 0))


def by_class(pairs: Pairs, glyphs: Sequence[str]) -> KernTable_format_unkown:
    """The pairs as a `kern` subtable of format 2 (OpenType specification, chapter kern): a table of classes of glyphs.

    HarfBuzz reads it as it reads GPOS. fontTools drops it unread when the font is embedded, where kerning is no longer
    needed; taking a GPOS table apart there would cost three quarters of the time.
    """
    right_of = {right: tuple(pairs.get((left, right), 0) for left in glyphs) for right in glyphs}
    columns = list(dict.fromkeys(right_of.values()))
    left_of = {left: tuple(pairs.get((left, _one(right_of, column)), 0) for column in columns) for left in glyphs}
    rows = list(dict.fromkeys(left_of.values()))
    width, head, classes = 2 * len(columns), 14, 4 + 2 * len(glyphs)
    array = head + 2 * classes
    left = [array + width * rows.index(left_of[glyph]) for glyph in glyphs]
    right = [2 * columns.index(right_of[glyph]) for glyph in glyphs]
    body = struct.pack(">4H", width, head, head + classes, array)
    body += struct.pack(f">2H{len(glyphs)}H", 0, len(glyphs), *left)
    body += struct.pack(f">2H{len(glyphs)}H", 0, len(glyphs), *right)
    body += b"".join(struct.pack(f">{len(columns)}h", *row) for row in rows)
    horizontal, form = 1, 2
    table = KernTable_format_unkown(form)
    table.data = struct.pack(">2H2B", 0, 6 + len(body), form, horizontal) + body
    return table


def _one(right_of: Mapping[str, tuple[int, ...]], column: tuple[int, ...]) -> str:
    return next(glyph for glyph, found in right_of.items() if found == column)


def _rename(font: TTFont, family: str) -> None:
    spaced = (1, 4, 16, 18, 21)
    for record in font["name"].names:
        if record.nameID in (*spaced, 3, 6, 25):
            name = family if record.nameID in spaced else family.replace(" ", "")
            record.string = record.toUnicode().replace("Source Sans 3", name).replace("SourceSans3", name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
