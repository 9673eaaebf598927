"""Temporal: which program serves, and that what both engines hold survives a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from settings import ROOT, Settings
from supervisor import builder, temporal_binaries
from supervisor import engine as engines
from supervisor.base import survey
from supervisor.console import Console
from supervisor.crew import Crew
from supervisor.errors import CannotStart
from supervisor.home import Addresses, Home
from supervisor.process import Spec
from supervisor.temporal_binaries import Workshop
from supervisor.up import services
from tests.supervisor.waiting_process import WaitingProcess


@pytest.mark.parametrize(
    ("answer", "serves"),
    [
        ("temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)", True),
        ("temporal version 1.5.0 (Server 1.29.0, UI 2.40.0)", True),
        ("temporal version 2.0.0 (Server 2.0.0, UI 3.0.0)", True),
        ("temporal version 0.0.0-DEV (Server 1.31.2, UI 2.50.1)", True),
        ("temporal version 0.0.0-DEV (Server 1.28.1, UI 2.39.0)", False),
        ("temporal version 1.4.1 (Server 1.28.1, UI 2.39.0)", False),
        ("tctl version 1.18.0", False),
    ],
)
def test_only_a_cli_new_enough_serves(answer: str, *, serves: bool) -> None:
    assert temporal_binaries.speaks_our_version(answer) is serves


def test_the_one_on_path_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = a_program(tmp_path / "temporal", says="temporal version 1.9.9 (Server 1.40.0)")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert temporal_binaries.command_line(no_workshop()) == program


def test_an_old_one_on_path_is_passed_over_for_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path / "temporal", says="temporal version 1.2.0 (Server 1.26.0)")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(temporal_binaries, "_cache_root", lambda: tmp_path / "cache")
    temporal_binaries.cache().mkdir(parents=True)
    cached = a_program(temporal_binaries.cache() / "temporal", says="temporal version 1.8.2 (Server 1.31.2)")

    assert temporal_binaries.command_line(no_workshop()) == cached


def test_without_network_and_go_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[str] = []

    def fail(spec: Spec, _seconds: float) -> None:
        jobs.append(spec.name)
        raise CannotStart("no network")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(temporal_binaries, "_cache_root", lambda: tmp_path)
    monkeypatch.setattr(builder, "installed_go", lambda: None)

    with pytest.raises(CannotStart, match=r"install its CLI >= 1\.5 on PATH, or Go"):
        temporal_binaries.command_line(Workshop(fail, lambda _words: None))
    assert jobs == ["sdk-download"]


def test_a_file_database_that_was_left_half_made_is_begun_anew(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ports = dict.fromkeys(("temporal", "temporal-http", "temporal-metrics"), 1)
    engine = engines.dev(home, program=Path("temporal"), ports=ports, namespace="default")
    database = tmp_path / "temporal.db"
    assert engine.spec.before_start

    database.touch()
    engine.spec.before_start()
    assert not database.exists()

    database.touch()
    engine.settled()
    engine.spec.before_start()
    assert database.exists()


def test_a_home_keeps_the_engine_it_has_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    home.record_engine(engines.CLUSTER)

    assert chosen(home, engine=None) == engines.CLUSTER
    assert chosen(home, engine=engines.DEV) == engines.DEV
    assert chosen(home, engine=None, temporal_address="127.0.0.1:1") == engines.EXTERNAL


@pytest.mark.timeout(1800)  # The first run on a machine may have to build the programs.
@pytest.mark.parametrize("engine", engines.NAMES)
def test_a_process_survives_the_kill_of_all_that_carries_it(open_folder: Path, engine: str) -> None:
    settings = Settings(home=open_folder / "home", database_url=None, temporal_address=None, build_id="r1")
    with services(settings, engine=engine) as addresses:
        asyncio.run(begin(addresses))
        for part in ("temporal", "postgres"):
            os.kill(int(Home(settings.home).pid_file(part).read_text()), signal.SIGKILL)

    with services(settings) as again:
        assert again.engine == engine
        assert again.temporal_address == addresses.temporal_address
        assert asyncio.run(finish(again)) == "heard"


async def begin(addresses: Addresses) -> None:
    """A process that has heard one word and waits, on workers whose release has been made current."""
    client = await Client.connect(addresses.temporal_address)
    with making_current(addresses) as job:
        async with a_worker(client, "core"), a_worker(client, "documents"):
            assert await asyncio.to_thread(job.wait, 60) == 0
            handle = await client.start_workflow(WaitingProcess.run, id="waiting", task_queue="core")
            await handle.execute_update(WaitingProcess.hear, "heard")


async def finish(addresses: Addresses) -> str:
    client = await Client.connect(addresses.temporal_address)
    async with a_worker(client, "core"):
        handle = client.get_workflow_handle("waiting", result_type=str)
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        await handle.execute_update(WaitingProcess.end)
        word: str = await handle.result()
        return word


@contextmanager
def making_current(addresses: Addresses) -> Iterator["subprocess.Popen[bytes]"]:
    words = ("current", addresses.temporal_address, addresses.temporal_namespace, "r1")
    with subprocess.Popen((sys.executable, "-m", "supervisor.registrar", *words), cwd=ROOT) as job:
        yield job


def a_worker(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[WaitingProcess],
        # Nothing is remembered between two workers, so the second need not wait for the first one's queue to lapse.
        max_cached_workflows=0,
        deployment_config=WorkerDeploymentConfig(
            version=WorkerDeploymentVersion("allotment", "r1"),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        ),
    )


def a_program(path: Path, *, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def no_workshop() -> Workshop:
    def never(spec: Spec, _seconds: float) -> None:
        pytest.fail(f"{spec.name} was not to be run")

    return Workshop(never, lambda _words: None)


def chosen(home: Home, *, engine: str | None, temporal_address: str | None = None) -> str:
    settings = Settings(home=home.path, temporal_address=temporal_address)
    console = Console()
    return survey(settings, home=home, crew=Crew(home, console), console=console, engine=engine).engine_name
