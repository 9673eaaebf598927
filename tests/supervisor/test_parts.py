"""The parts: what a part does about the others on the same machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from worker import AUTOGROUP

GIVING_WAY = "import os, worker; worker.give_way({}); print(os.nice(0), worker.AUTOGROUP.read_text().split()[-1])"


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="sessions are not told apart here")
@pytest.mark.parametrize("niceness", [0, 10])
def test_who_gives_way_does_so_for_its_whole_session(niceness: int, tmp_path: Path) -> None:
    said = subprocess.run(
        (sys.executable, "-c", GIVING_WAY.format(niceness)),
        cwd=ROOT,
        env={"ALLOTMENT_HOME": str(tmp_path)},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.split() == [str(niceness)] * 2
