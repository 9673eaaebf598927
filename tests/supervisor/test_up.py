"""Starting, dying, starting again and stopping, with real signals to real processes."""

import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from settings import ROOT
from supervisor import leftovers, postgres_place
from tests.supervisor.instance import PARTS, STAND_IN, Instance, is_running
from tests.supervisor.stand_in import BROKEN, STUBBORN

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights")


def test_ready_stands_on_its_own_line_and_every_part_has_its_pid(running: Instance) -> None:
    assert f"\nready  http://127.0.0.1:{running.port}\n" in running.terminal.read_text()
    assert sorted(running.pids()) == sorted(PARTS)
    assert all(is_running(pid) for pid in running.pids().values())
    assert psutil.Process(running.pid("postgres")).name() == "postgres"
    assert all(os.getsid(pid) == pid for pid in running.pids().values())


def test_addresses_and_engine_are_told_and_kept_from_strangers(running: Instance) -> None:
    assert running.addresses().engine == "dev"
    assert running.home.recorded_engine() == "dev"
    assert stat.S_IMODE(running.home.addresses_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_order(instance: Instance, number: signal.Signals) -> None:
    pids = instance.started().pids()

    status = instance.stop(number)

    assert status == 0
    assert not any(is_running(pid) for pid in pids.values())
    assert instance.remains() == []
    assert instance.pids() == {}
    stops = [line for line in instance.terminal.read_text().splitlines() if "  stopped " in line]
    assert [line.split("stopped ")[1].split(",")[0] for line in stops] == ["api", "worker-1", "temporal", "postgres"]


def test_a_grandchild_in_a_session_of_its_own_is_ended_too(instance: Instance) -> None:
    worker = psutil.Process(instance.started().pid("worker-1"))
    instance.wait_for(lambda: bool(worker.children()))
    sleeper = worker.children()[0]

    worker.kill()
    instance.wait_for(lambda: instance.pid("worker-1") != worker.pid)
    instance.stop()

    assert not is_running(sleeper.pid)


@pytest.mark.parametrize("to_group", [False, True], ids=["make alone by SIGTERM", "the terminal's group by SIGINT"])
def test_make_passes_a_signal_on(instance: Instance, *, to_group: bool) -> None:
    make = ("make", "run", f"PY={sys.executable} -m tests.supervisor.stand_in")
    instance.start(command=make)
    instance.wait_for(lambda: instance.said("ready  "), seconds=60)
    assert instance.process

    if to_group:
        os.killpg(instance.process.pid, signal.SIGINT)
    else:
        os.kill(instance.process.pid, signal.SIGTERM)
    instance.ended()

    assert instance.remains() == []


def test_a_part_that_was_killed_is_back_within_five_seconds(running: Instance) -> None:
    before = running.pids()

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    waited = running.wait_for(lambda: all(running.pids()[name] != pid for name, pid in before.items()))

    assert waited < 5
    running.wait_for(lambda: all(is_running(pid) for pid in running.pids().values()))


def test_a_part_that_hangs_is_left_alone(running: Instance) -> None:
    pid = running.pid("dispatcher")

    os.kill(pid, signal.SIGSTOP)
    time.sleep(1)

    assert running.pid("dispatcher") == pid
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    os.kill(pid, signal.SIGCONT)


def test_backends_that_survive_their_postmaster_are_ended_before_it_starts_again(running: Instance) -> None:
    addresses, postmaster = running.addresses(), running.pid("postgres")
    running.wait_for(lambda: _answers(addresses.database_url))
    busy = psycopg.connect(addresses.database_url, autocommit=True)
    backend = busy.info.backend_pid
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1e12)")
    time.sleep(0.3)

    os.kill(postmaster, signal.SIGKILL)

    assert running.wait_for(lambda: running.pid("postgres") != postmaster) < 5
    running.wait_for(lambda: _answers(addresses.database_url))
    assert not is_running(backend)
    busy.close()


def test_data_survive_a_restart_on_the_same_port(instance: Instance) -> None:
    url = instance.started().addresses().database_url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    instance.stop()

    instance.started()

    assert instance.addresses().database_url == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_part_that_cannot_start_fails_the_start_with_its_last_words_and_no_orphan(instance: Instance) -> None:
    instance.start(environment={BROKEN: "dispatcher"})

    assert instance.ended(seconds=90) == 1
    assert "allotment: dispatcher ended with status 1 each time: the dispatcher is broken on purpose" in (
        instance.terminal.read_text()
    )
    assert instance.remains() == []


def test_a_signal_during_the_start_stops_what_had_started(instance: Instance) -> None:
    instance.start()
    instance.wait_for(lambda: instance.home.pid_file("temporal").exists())

    status = instance.stop()

    assert status == 0
    assert not instance.said("ready  ")
    assert instance.remains() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_arrives_twice_at_once_hastens_nothing(instance: Instance, number: signal.Signals) -> None:
    instance.started()

    instance.send(number)
    time.sleep(0.05)
    status = instance.stop(signal.SIGTERM)

    assert status == 0
    assert not instance.said("did not stop in time")
    assert "database system is shut down" in instance.home.log("postgres").read_text()


def test_a_second_signal_after_a_while_hastens(instance: Instance) -> None:
    instance.started(**{STUBBORN: "dispatcher"})

    instance.send(signal.SIGINT)
    time.sleep(2.5)
    began = time.monotonic()
    status = instance.stop(signal.SIGINT)

    assert status == 0
    assert time.monotonic() - began < 4
    assert instance.remains() == []


def test_a_port_in_use_is_one_line_that_says_what_to_do(instance: Instance) -> None:
    with socket.create_server(("127.0.0.1", instance.port)):
        status = instance.start().ended()

    assert status == 1
    (line,) = instance.terminal.read_text().splitlines()
    assert line.startswith(f"allotment: port {instance.port} is in use by ")
    assert line.endswith(f"stop that, or choose another: ALLOTMENT_PORT={instance.port + 1}")


def test_a_home_in_use_is_refused_naming_its_holder(instance: Instance, an_instance: Callable[..., Instance]) -> None:
    instance.started()
    assert instance.process
    second = an_instance()

    status = second.start().ended()

    assert status == 1
    assert f"is in use by the instance with pid {instance.process.pid}; stop it first" in second.terminal.read_text()
    assert instance.pids()


def test_a_killed_supervisor_takes_its_parts_with_it_and_the_next_one_starts(instance: Instance) -> None:
    first = instance.started().pids()
    instance.send(signal.SIGKILL)
    instance.ended()

    second = instance.started().pids()

    assert not any(is_running(pid) for pid in first.values())
    assert set(first.values()).isdisjoint(second.values())


def test_leftovers_are_ended_and_a_process_that_only_has_their_pid_is_not(instance: Instance) -> None:
    instance.home.make()
    stranger = psutil.Popen(["sleep", "60"])
    instance.home.pid_file("api").write_text(f"{stranger.pid}\n")
    orphan = psutil.Popen(["sleep", "60"], env={**os.environ, "ALLOTMENT_PART": f"mail@{instance.home.path}"})

    instance.started()

    assert instance.said("ending 1 processes that an earlier run left behind")
    assert orphan.wait(1) == -signal.SIGTERM
    assert stranger.is_running()
    stranger.kill()
    stranger.wait()


@AS_ROOT
def test_a_home_below_a_closed_folder_keeps_its_mode_and_its_data(instance: Instance, open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    inside = Instance(closed / "home", instance.port)
    try:
        inside.started()
        inside.stop()
        inside.started()
        place = postgres_place.recorded(inside.home)
    finally:
        inside.destroy()

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert place
    assert closed not in place.parents
    assert leftovers.in_folder(str(place / "data")) == []
    postgres_place.forget(inside.home)
    assert not place.exists()


@AS_ROOT
def test_a_user_without_rights_runs_postgres_as_itself(instance: Instance, open_folder: Path) -> None:
    python = _python_for_others()
    os.chown(open_folder, 65534, 65534)
    environment = {
        "HOME": str(open_folder),
        "PYTHONPATH": next(path for path in sys.path if path.endswith("site-packages")),
    }

    instance.start(command=(python, *STAND_IN[1:]), account=65534, environment=environment)
    instance.wait_for(lambda: instance.said("ready  "))

    assert psutil.Process(instance.pid("postgres")).uids().real == 65534
    assert (instance.home.path / "postgres" / "data" / "PG_VERSION").exists()
    assert instance.stop() == 0


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


def _python_for_others() -> str:
    name = f"/usr/bin/python3.{sys.version_info.minor}"
    reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in (ROOT, *ROOT.parents))
    if not Path(name).exists() or not reachable:
        pytest.skip(f"needs {name} and a clone that every user may enter")
    return name
