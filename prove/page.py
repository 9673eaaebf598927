"""RELIABILITY.md, made from what races and kills have found and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from prove.kills.record import FILE as KILLS
from prove.kills.words import section as kills_section
from prove.races.words import section as races_section
from settings import ROOT

PAGE = ROOT / "RELIABILITY.md"
RACES = ROOT / "prove" / "results" / "races.json"

HEAD = """# What crashes and races do to the numbers

Made by `make prove`, which anyone can repeat: it races callers against each other, kills every part of the house at every point
of every process, and counts what is wrong afterwards. `MINUTES=` and `SEED=` bound and vary it, `RACES=` and `KILLS=` choose
parts of it, `ALL=1` visits every cell, and it ends with 1 on any violation. The raw findings are in
[prove/results/](prove/results).
"""


def page(races: Path = RACES, kills: Path = KILLS) -> str:
    """The whole page."""
    parts = [HEAD]
    if races.exists():
        parts.append(races_section(json.loads(races.read_text())))
    if kills.exists():
        parts.append(kills_section(json.loads(kills.read_text())))
    return "\n".join(part.strip() + "\n" for part in parts)


def write() -> None:
    """Write it down."""
    PAGE.write_text(page())
