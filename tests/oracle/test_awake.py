"""The house is awake since its last part began: by pid files here, by connections where containers started the parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

from oracle.awake import OURS, SERVICES, awake
from settings import ROOT, Settings
from tests.ground import Clone

PARTS = (*OURS, *SERVICES)
ELSEWHERE = ("dispatcher", "worker", "worker-documents")
"""What docker-compose.yml calls our parts."""
NOBODY = 2**22 + 1
"""More than any process id there is."""


@pytest.fixture
def settings(clone: Clone, tmp_path: Path) -> Settings:
    (tmp_path / "run").mkdir()
    return Settings(home=tmp_path, app_database_url=clone.app_url)


@pytest.fixture
def containers(clone: Clone) -> Iterator[Sequence[datetime]]:
    """Our parts, connected from elsewhere; between which two moments they came."""
    with ExitStack() as stack:
        began = datetime.now(UTC)
        for name in ELSEWHERE:
            stack.enter_context(psycopg.connect(clone.app_url, application_name=name))
        yield began, datetime.now(UTC)


def start(settings: Settings, *parts: str, pid: int | None = None) -> None:
    for part in parts:
        (settings.run_dir / f"{part}.pid").write_text(f"{pid or os.getpid()}\n")


def test_all_parts_that_were_started_here_are_known_by_their_files(settings: Settings) -> None:
    start(settings, *PARTS)

    found = awake(settings, answering=())

    assert (found.since, found.missing) == (datetime.fromtimestamp(psutil.Process().create_time(), UTC), [])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_whose_process_is_gone_is_missing(settings: Settings, part: str, containers: object) -> None:
    start(settings, *PARTS)
    start(settings, part, pid=NOBODY)

    found = awake(settings, answering=SERVICES)

    assert (found.since, found.missing) == (None, [part])


def test_services_of_somebody_else_are_awake_when_they_answer(settings: Settings) -> None:
    start(settings, *OURS)

    assert awake(settings, answering=SERVICES).since is not None
    assert awake(settings, answering=["temporal"]).missing == ["provider"]


def test_parts_in_containers_are_known_by_their_connections(settings: Settings, containers: Sequence[datetime]) -> None:
    found = awake(settings, answering=SERVICES)

    assert found.missing == []
    assert found.since is not None
    # The server's clock and ours are one machine's, read a moment apart.
    assert containers[0] - timedelta(seconds=1) <= found.since <= containers[1] + timedelta(seconds=1)


def test_a_house_that_sleeps_has_nobody_at_work(settings: Settings) -> None:
    assert awake(settings, answering=()).missing == list(PARTS)


def test_a_database_that_is_away_knows_nobody(settings: Settings) -> None:
    away = settings.model_copy(update={"app_database_url": "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=1"})

    assert awake(away, answering=SERVICES).missing == list(OURS)


def test_the_parts_of_the_compose_file_have_the_names_we_look_for() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [service.get("command", [""]) for service in services.values()]

    named = [words[words.index("--name") + 1] for words in commands if words[0] == "worker"]

    assert {"dispatcher", *named} == set(ELSEWHERE)
    assert ["dispatcher"] in commands
    assert set(ELSEWHERE) <= {name for names in OURS.values() for name in names}
