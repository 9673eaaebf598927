"""Instances with stand-ins for our parts, in homes of their own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor import postgres_place
from supervisor.home import Home
from supervisor.ports import free_port
from tests.supervisor.instance import Instance


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="allotment-supervisor-"))
    folder.chmod(0o755)
    yield folder
    for home in list(folder.rglob("postgres.json")):
        postgres_place.forget(Home(home.parent))
    shutil.rmtree(folder)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with a_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    """One instance for the tests that leave it running as they found it."""
    with a_folder() as folder:
        instance = Instance(folder / "home", free_port())
        try:
            yield instance.started()
        finally:
            instance.destroy()


@pytest.fixture
def an_instance(open_folder: Path) -> Iterator[Callable[..., Instance]]:
    """Makes instances; what they leave running is ended."""
    made: list[Instance] = []

    def make(home: Path | None = None) -> Instance:
        instance = Instance(home or open_folder / "home", free_port())
        made.append(instance)
        return instance

    yield make
    for instance in made:
        instance.destroy()


@pytest.fixture
def instance(an_instance: Callable[..., Instance]) -> Instance:
    return an_instance()
