"""`allotment up`: the whole back office of one home in the foreground, from nothing to `ready` to the last process gone."""

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from settings import Settings
from supervisor import base, leftovers, parts, ports, pulses
from supervisor.console import Console
from supervisor.crew import Crew
from supervisor.errors import CannotStart, StopRequested
from supervisor.home import Addresses, Home, Lock

# A proxy that the environment names has no business between us and loopback.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SEED_SECONDS = 120
_READY_SECONDS = 180


Act = Callable[[Home, Crew, Console], None]


def up(settings: Settings, *, demo: bool = False, engine: str | None = None) -> int:
    """Runs until a signal. Returns the exit status: 0 after a stop that was asked for, 1 after a start that failed."""
    return supervised(
        settings,
        lambda home, crew, console: _run(settings, home=home, crew=crew, console=console, demo=demo, engine=engine),
    )


def supervised(settings: Settings, act: Act, *, order: Sequence[Sequence[str]] = parts.STOP_ORDER) -> int:
    """Holds the home and lets `act` start parts and watch them; whatever ends it, they are stopped in order."""
    console = Console()
    home = Home(settings.home)
    crew = Crew(home, console)
    try:
        home.make()
        lock = Lock(home)
        lock.take()
    except CannotStart as refused:
        return _refuse(refused)
    crew.listen()
    status = 0
    try:
        end_leftovers(home, console)
        act(home, crew, console)
    except CannotStart as refused:
        status = _refuse(refused)
    except StopRequested:
        console.say("allotment", "stopping")
    finally:
        crew.stop(order)
        home.addresses_file.unlink(missing_ok=True)
        lock.release()
    return status


@contextmanager
def services(settings: Settings, *, engine: str | None = None) -> Iterator[Addresses]:
    """Addresses of the running instance, or of a Postgres and a Temporal started for as long as the block lasts.

    Raises CannotStart when they cannot be started. Standard output stays untouched.
    """
    home = Home(settings.home)
    home.make()
    lock = Lock(home)
    if not lock.try_take():
        yield _of_running(home, lock)
        return
    console = Console(sys.stderr)
    crew = Crew(home, console)
    try:
        end_leftovers(home, console)
        yield base.start(base.survey(settings, home=home, crew=crew, console=console, engine=engine))
    finally:
        crew.stop(parts.STOP_ORDER)
        lock.release()


def _run(settings: Settings, *, home: Home, crew: Crew, console: Console, demo: bool, engine: str | None) -> None:
    ports.require_free(settings.port)
    ground = base.survey(settings, home=home, crew=crew, console=console, engine=engine)
    addresses = base.start(ground)
    home.write_addresses(addresses)
    environment = {**parts.base_environment(home.path, port=settings.port, is_demo=demo), **addresses.environment()}
    _start_ours(ground, environment)
    hand_over_work(crew, addresses)
    crew.until(
        lambda: status_of(settings.port, "/healthz") == HTTPStatus.OK, seconds=_READY_SECONDS, what="the API to answer"
    )
    if demo:
        crew.run(parts.seed(environment), seconds=_SEED_SECONDS)
    crew.until(
        lambda: status_of(settings.port, "/readyz") == HTTPStatus.OK, seconds=_READY_SECONDS, what="/readyz to say 200"
    )
    crew.until(crew.is_steady, seconds=_READY_SECONDS, what="every part to stay")
    console.ready(addresses.api_url)
    asked = pulses.questions(addresses)
    with pulses.watching(pulses.Watch(home, asked, is_alive=crew.is_alive, condemn=crew.condemn)):
        crew.watch()


def _start_ours(ground: base.Ground, environment: dict[str, str]) -> None:
    if not ground.settings.provider_url:
        ground.crew.start(parts.provider(environment))
    if not ground.settings.smtp_url:
        ground.crew.start(parts.mail(environment))
    for name in parts.WORKERS:
        ground.crew.start(parts.worker(name, parts.metered(environment, name, ground.ports)))
    ground.crew.start(parts.dispatcher(parts.metered(environment, "dispatcher", ground.ports)))
    ground.crew.start(parts.api(environment))


def hand_over_work(crew: Crew, addresses: Addresses) -> None:
    """Without a current version Temporal gives versioned workers nothing to do."""
    words = ("current", addresses.temporal_address, addresses.temporal_namespace, addresses.build_id)
    crew.run(parts.registrar("temporal-version", *words), seconds=120)


def end_leftovers(home: Home, console: Console) -> None:
    """Ends what an earlier run of the home left running, and forgets its pid files."""
    found = leftovers.of_home(home)
    if found:
        console.say(
            "allotment", f"ending {len(found)} processes that an earlier run left behind; nothing needs to be done"
        )
        leftovers.end(found, first=signal.SIGTERM, seconds=5)
    stale = sorted(home.run.glob("*.pid"))
    for file in stale:
        file.unlink(missing_ok=True)
    if stale:
        names = ", ".join(file.stem for file in stale)
        console.say("allotment", f"removed stale pid files of {names}; nothing needs to be done")


def _of_running(home: Home, lock: Lock) -> Addresses:
    addresses = home.read_addresses()
    if addresses is None:
        raise CannotStart(f"{home.path} is in use by pid {lock.holder()}, which is not ready yet; try again when it is")
    return addresses


def status_of(port: int, path: str) -> int:
    """The status of a GET on an API of our own; 0 when nobody answers."""
    try:
        with _DIRECTLY.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _refuse(refused: CannotStart) -> int:
    print(f"allotment: {refused}", file=sys.stderr, flush=True)
    return 1


def adopt(addresses: Addresses) -> None:
    """Makes the addresses this process's own settings, for a command that borrows a home's services."""
    os.environ.update(addresses.environment())
    from settings import current

    current.cache_clear()
