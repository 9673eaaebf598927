"""The README's ten calls, run by a shell as a reader would paste them, against a house that has just come up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings import ROOT
from supervisor import postgres_place
from supervisor.ports import free_port
from tests.supervisor.instance import Instance

README = (ROOT / "README.md").read_text()
SHELLS = [name for name in ("sh", "bash", "zsh") if shutil.which(name)]


def ten_calls() -> str:
    """The block between the markers, without its fence."""
    between = README.split("<!-- ten calls: begin -->")[1].split("<!-- ten calls: end -->")[0]
    found = re.fullmatch(r"\s*```sh\n(.*)```\s*", between, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def house() -> Iterator[Instance]:
    """A fresh house with the demo's agencies, as `make run` brings it up."""
    folder = Path(tempfile.mkdtemp(prefix="allotment-readme-"))
    folder.chmod(0o755)
    running = Instance(folder / "home", free_port())
    engine = os.environ.get("ALLOTMENT_TEST_ENGINE") or "dev"
    try:
        running.start(command=(sys.executable, "-m", "cli", "up", "--demo", "--engine", engine))
        running.wait_for(lambda: running.said(f"ready  http://127.0.0.1:{running.port}\n"), seconds=240)
        yield running
        assert running.stop() == 0
    finally:
        running.destroy()
        postgres_place.forget(running.home)
        shutil.rmtree(folder)


def pasted(shell: str, house: Instance) -> list[Any]:
    """Everything the calls print, as JSON."""
    ran = subprocess.run(
        [shell, "-eu"],
        input=ten_calls(),
        env={**os.environ, "API": f"http://127.0.0.1:{house.port}/api"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not ran.stderr, ran.stderr
    return documents_of(ran.stdout)


def documents_of(text: str) -> list[Any]:
    found, decoder, rest = [], json.JSONDecoder(), text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].lstrip()
    return found


def test_there_are_ten() -> None:
    assert len(re.findall(r"\bcurl ", ten_calls())) == 10
    assert re.findall(r"^# (\d+)\. ", ten_calls(), re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_they_need_nothing_but_curl_and_python() -> None:
    commands = set(re.findall(r"\| (\w+)", ten_calls()))

    assert commands == {"pick", "python3"}


@pytest.mark.parametrize("shell", SHELLS)
def test_they_buy_sell_and_report(shell: str, house: Instance) -> None:
    sold_before = SHELLS.index(shell) * 2

    submitted, confirmed, received, _, _, paid, report = pasted(shell, house)

    assert [one["status"] for one in (submitted, confirmed, received, paid)] == ["succeeded"] * 4
    assert received["result"]["received"] == 20
    assert paid["result"]["status"] == "COMPLETED"
    row = report["rows"][0]
    sold = sold_before + 2
    assert row["tickets_sold"] == sold
    assert row["gross_profit"] == {"amount": f"{15 * sold}.00", "currency": "EUR"}
    assert row["margin"] == "0.4286"
