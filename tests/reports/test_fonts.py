"""The papers' own letters: whom they cover, that accents stay on their letters, that pairs are kerned, and that nothing vanishes."""

# ruff: noqa: RUF001 -- letters that look like others are what is tried here.

import os
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fontTools import subset
from fontTools.ttLib import TTFont

from reports import render
from reports.words import clean
from tests.reports import pdfs

ROOT = Path(__file__).resolve().parents[2]
FONTS = ROOT / "reports" / "fonts"
WEIGHTS = ("Regular", "Semibold")
PLAIN = "".join(map(chr, range(0x20, 0x7F))) + " ·–’€"
OWN, EXTENDED = "Allotment-Sans", "Allotment-Sans-Extended"

EUROPEAN = {
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy ĎŇŘŠŤŮÝŽ",
    "Polish": "Zażółć gęślą jaźń ĄĆĘŁŃÓŚŹŻ",
    "Turkish": "Pijamalı hasta yağız şoföre çabucak güvendi İĞŞ",
    "Hungarian": "Árvíztűrő tükörfúrógép ŐŰ",
    "Romanian": "Țară și școală ĂÂÎȘȚ",
    "German": "Zwölf Boxkämpfer, Straße, GROẞE",
    "French": "Œuvre, dès Noël où un zéphyr haï, ÀÉÈÊËÎÏÔÙÛÜŸÇ",
    "Nordic": "Blåbærgrød på Ærø, Þjóð, Ångström",
    "Baltic": "Ąžuolas ėjo į mišką, ģimene, Ķekava, Ļaudis, ŪŲ",
    "signs": "€ £ $ ¥ ₺ ₽ ₴ ₹ – — ’ ‘ “ ” „ ‚ « » ‹ › … · • † ‰ № ™ − ≤ ≥ ← →",
}
EXTENDED_TOO = {"Vietnamese": "Nguyễn Thị Hạnh", "Greek": "Αθήνα, ψυχή", "Cyrillic": "Київ, Москва, Ґанок"}


@cache
def font(family: str, weight: str) -> Any:
    return TTFont(FONTS / f"{family}-{weight}.ttf")


def page(text: str, *, style: str = "") -> bytes:
    return render.pdf(f'<html lang="en"><head><title>x</title></head><body><p style="{style}">{text}</p></body></html>')


def width(text: str, *, style: str = "") -> float:
    box = next(box for box in pdfs.pages(page(text, style=style))[0].boxes if box.text.strip() == text)
    return box.right - box.left


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("text", EUROPEAN.values(), ids=EUROPEAN)
def test_european_names_need_one_family(text: str, weight: str) -> None:
    assert [letter for letter in text if ord(letter) not in font("AllotmentSans", weight).getBestCmap()] == []


@pytest.mark.parametrize("text", EXTENDED_TOO.values(), ids=EXTENDED_TOO)
def test_other_names_bring_the_second_family_along(text: str) -> None:
    content = page(text)

    assert pdfs.fonts(content) == {OWN, EXTENDED}
    assert text in pdfs.words(content)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_an_accented_letter_has_its_own_letter_below_the_accent(weight: str) -> None:
    accented = "áéóúčřšžňäöüåñãõçÁÉÓÚČŘŠŽŇÄÖÜÅÑÃÕÇ"

    astray = [
        letter
        for letter in accented
        if not outline(letter, weight) > outline(unicodedata.normalize("NFD", letter)[0], weight)
    ]

    assert astray == []


def outline(letter: str, weight: str) -> set[tuple[int, int]]:
    """The points that a letter's shape is drawn through."""
    cut = font("AllotmentSans", weight)
    points, _, _ = cut["glyf"][cut.getBestCmap()[ord(letter)]].getCoordinates(cut["glyf"])
    return set(points)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize(("text", "most"), [(PLAIN, 110), ("Zwölf Boxkämpfer fraß Noël à Besançon", 260)])
def test_what_a_common_paper_is_set_in_stands_first_with_all_its_parts(text: str, most: int, weight: str) -> None:
    options = subset.Options(retain_gids=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cut = TTFont(FONTS / f"AllotmentSans-{weight}.ttf")

    cutter.subset(cut)

    assert len(cut.getGlyphOrder()) < most


def test_pairs_are_kerned() -> None:
    pairs = ("To", "AV", "Te", "P.", "Vá", "Ťo")

    assert [pair for pair in pairs if width(pair) > width(pair, style="font-kerning: none") - 0.1] == []


def test_letters_and_accents_typed_apart_are_set_together() -> None:
    assert clean(unicodedata.normalize("NFD", "Žižkov, Nguyễn")) == "Žižkov, Nguyễn"


def test_a_letter_that_no_font_has_is_a_box_and_stays_in_the_text(tmp_path: Path) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); from tests.reports.test_fonts import page; "
        "sys.stdout.buffer.write(page(sys.argv[1]))"
    )

    def on_a_bare_server(text: str) -> bytes:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FONTCONFIG_FILE": str(config)}
        command = [sys.executable, "-c", script, text]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=120
        ).stdout

    missing, nothing = on_a_bare_server("A漢A"), on_a_bare_server("AA")

    assert {name.split("-Extended")[0] for name in pdfs.fonts(missing)} == {OWN}
    assert "漢" in pdfs.words(missing)
    assert ink(missing) > ink(nothing)


def ink(content: bytes) -> int:
    """How many dots of the page are dark."""
    return sum(pdfs.picture(content).histogram()[:128])
