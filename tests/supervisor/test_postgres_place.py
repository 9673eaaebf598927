"""The cluster's place: whose data lie where, who may have them, and who may take them away."""

import json
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from settings import Settings
from supervisor import postgres_binaries, postgres_place, reset
from supervisor.errors import CannotStart
from supervisor.home import Home
from supervisor.process import Account

NOBODY = Account(65534, 65534)
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights")
TWO_DAYS = 2 * 24 * 3600


@pytest.fixture
def base(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder for private data, not made yet."""
    base = open_folder / "base"
    monkeypatch.setattr(postgres_place, "_BASES", (str(base),))
    return base


@pytest.fixture
def closed(open_folder: Path) -> Path:
    """A folder that only root may enter, so that the data of a home in it lie outside."""
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    return closed


def a_home(path: Path) -> Home:
    home = Home(path)
    home.make()
    return home


def with_data(home: Home, words: str) -> Path:
    """The home's folder after a first start, with something in it to be lost."""
    folder = postgres_place.find(home).folder
    (folder / "data").mkdir()
    (folder / "data" / "rows").write_text(words)
    return folder


def data_of(home: Home) -> str:
    return (postgres_place.find(home).data / "rows").read_text()


def move(home: Home, to: Path) -> Home:
    return Home(home.path.rename(to))


def copy(home: Home, to: Path) -> Home:
    shutil.copytree(home.path, to)
    return Home(to)


def a_private_folder(base: Path, name: str, *, owner: Path, age: float) -> Path:
    """What a home left behind, last used so many seconds ago."""
    folder = base / name
    (folder / "data" / "global").mkdir(parents=True)
    (folder / "data" / "global" / "pg_control").touch()
    (folder / "home").write_text(f"{owner}\n")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (time.time() - age,) * 2)
    return folder


@contextmanager
def a_strict_umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_a_home_that_was_copied_does_not_share_its_originals_data(open_folder: Path) -> None:
    original, twin = Home(open_folder / "original"), Home(open_folder / "copy")
    elsewhere = open_folder / "elsewhere"
    elsewhere.mkdir()
    for home in (original, twin):
        home.make()
        (home.path / "postgres.json").write_text(f'{{"folder": "{elsewhere}"}}')

    postgres_place.find(original)
    with pytest.raises(CannotStart, match="is a copy of"):
        postgres_place.find(twin)

    assert postgres_place.find(move(original, open_folder / "moved")).folder == elsewhere


@pytest.mark.usefixtures("base")
def test_data_in_the_home_are_moved_and_copied_with_it(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_place, "_unprivileged", lambda: None)
    old = a_home(open_folder / "var")
    with_data(old, "old")
    moved, twin = move(old, open_folder / "var.bak"), copy(Home(open_folder / "var.bak"), open_folder / "copy")
    new = a_home(open_folder / "var")
    with_data(new, "new")

    assert [data_of(home) for home in (moved, twin, new)] == ["old", "old", "new"]

    reset.reset(Settings(home=moved.path))
    assert [data_of(home) for home in (twin, new)] == ["old", "new"]


@AS_ROOT
def test_a_new_home_at_an_old_path_takes_nothing_from_the_one_that_was_moved_away(base: Path, closed: Path) -> None:
    old = a_home(closed / "var")
    with_data(old, "old")
    moved = move(old, closed / "var.bak")
    new = a_home(closed / "var")

    with_data(new, "new")

    assert [data_of(home) for home in (moved, new, moved)] == ["old", "new", "old"]
    assert len(list(base.glob("home-*"))) == 2


@AS_ROOT
def test_a_home_whose_volume_was_not_there_for_a_while_finds_its_data_again(base: Path, closed: Path) -> None:
    home = a_home(closed / "volume" / "var")
    folder = with_data(home, "kept")
    (closed / "volume").rename(closed / "unmounted")
    a_home(closed / "volume" / "var")
    with_data(home, "meanwhile")
    reset.reset(Settings(home=home.path))
    shutil.rmtree(closed / "volume")

    (closed / "unmounted").rename(closed / "volume")

    assert data_of(home) == "kept"
    assert list(base.glob("home-*")) == [folder]


@AS_ROOT
@pytest.mark.usefixtures("base")
def test_a_copy_is_refused_for_as_long_as_its_original_has_the_data(closed: Path) -> None:
    original = a_home(closed / "var")
    with_data(original, "precious")
    twin = copy(original, closed / "copy")

    with pytest.raises(CannotStart, match="is a copy of"):
        postgres_place.find(twin)
    moved = move(original, closed / "var.bak")
    a_home(closed / "var")
    assert data_of(moved) == "precious"
    with pytest.raises(CannotStart, match=r"is a copy of .*/var\.bak"):
        postgres_place.find(twin)

    reset.reset(Settings(home=twin.path))
    assert data_of(moved) == "precious"


@AS_ROOT
@pytest.mark.usefixtures("base")
def test_a_home_reached_by_another_name_is_no_copy(closed: Path) -> None:
    home = a_home(closed / "var")
    folder = with_data(home, "kept")
    (closed / "link").symlink_to(home.path)

    assert data_of(Home(closed / "link")) == "kept"

    reset.reset(Settings(home=home.path))
    assert not folder.exists()


@AS_ROOT
def test_a_reset_removes_the_homes_own_data(base: Path, closed: Path) -> None:
    home = a_home(closed / "home")
    first = with_data(home, "unwanted")

    reset.reset(Settings(home=home.path))
    assert not first.exists()
    assert not base.exists()

    home.make()
    assert postgres_place.find(home).folder != first


@AS_ROOT
def test_a_home_of_an_earlier_release_goes_on_working(base: Path, closed: Path) -> None:
    home = a_home(closed / "home")
    folder = base / "home-0123456789-abcdef"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "rows").write_text("old")
    (folder / "home").write_text(f"{home.path}\n")
    (home.path / "postgres.json").write_text(json.dumps({"folder": str(folder)}) + "\n")

    assert data_of(home) == "old"
    assert data_of(move(home, closed / "moved")) == "old"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"folder": null}'])
def test_a_record_that_was_spoilt_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "postgres.json").write_text(text)

    assert postgres_place.recorded(Home(tmp_path)) is None


@AS_ROOT
@pytest.mark.parametrize("mask", [0o027, 0o077])
def test_a_strict_umask_keeps_nobody_from_neither_data_nor_binaries(base: Path, closed: Path, mask: int) -> None:
    found = postgres_binaries.choose()
    hidden = closed / found.prefix.parent.name / found.prefix.name
    with a_strict_umask(mask):
        shutil.copytree(found.prefix, hidden, symlinks=True)
        if libraries := postgres_binaries.companions(found.prefix):
            shutil.copytree(libraries, closed / libraries.name)
        home = a_home(closed / "home")

        place = postgres_place.find(home)
        served = postgres_place.reachable(postgres_binaries.Binaries(hidden, found.version), account=NOBODY)

    assert place.folder.parent == base
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert postgres_binaries.inspect(served.prefix, account=NOBODY)


@AS_ROOT
def test_a_base_that_was_there_before_keeps_its_mode(base: Path, closed: Path) -> None:
    base.mkdir(mode=0o700)
    (base / "notes.txt").touch()
    home = a_home(closed / "home")

    with pytest.raises(CannotStart, match="the user nobody can write none of"):
        postgres_place.find(home)
    assert stat.S_IMODE(base.stat().st_mode) == 0o700


@AS_ROOT
def test_a_base_that_somebody_else_made_is_not_used(base: Path, closed: Path) -> None:
    base.mkdir(mode=0o755)
    (base / "notes.txt").touch()
    os.chown(base, NOBODY.uid, NOBODY.gid)
    home = a_home(closed / "home")

    with pytest.raises(CannotStart, match="the user nobody can write none of"):
        postgres_place.find(home)


@AS_ROOT
def test_binaries_below_a_closed_folder_are_copied_to_where_nobody_reaches_them(base: Path, closed: Path) -> None:
    found = postgres_binaries.choose()
    hidden = closed / found.prefix.parent.name / found.prefix.name
    shutil.copytree(found.prefix, hidden, symlinks=True)
    if libraries := postgres_binaries.companions(found.prefix):
        shutil.copytree(libraries, closed / libraries.name)

    served = postgres_place.reachable(postgres_binaries.Binaries(hidden, found.version), account=NOBODY)

    assert base in served.prefix.parents
    assert postgres_binaries.inspect(served.prefix, account=NOBODY)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_what_vanished_temporary_homes_left_is_swept_after_a_day_and_nothing_else(
    base: Path, open_folder: Path
) -> None:
    gone = open_folder / "gone"
    a_private_folder(base, "home-gone", owner=gone, age=TWO_DAYS)
    a_private_folder(base, "home-fresh", owner=gone, age=3600)
    a_private_folder(base, "home-there", owner=open_folder, age=TWO_DAYS)
    a_private_folder(base, "home-far", owner=Path("/far/away"), age=TWO_DAYS)
    used = a_private_folder(base, "home-used", owner=gone, age=TWO_DAYS)
    (used / "data" / "global" / "pg_control").touch()

    postgres_place.sweep()

    assert sorted(path.name for path in base.iterdir()) == ["home-far", "home-fresh", "home-there", "home-used"]


def test_copies_of_binaries_are_swept_and_a_home_that_lies_in_their_folder_is_not(base: Path) -> None:
    (base / "postgres-18.1-01234567" / "bin").mkdir(parents=True)
    (base / "postgres" / "data").mkdir(parents=True)

    postgres_place.sweep()
    assert [path.name for path in base.iterdir()] == ["postgres"]

    shutil.rmtree(base / "postgres")
    postgres_place.sweep()
    assert not base.exists()


@AS_ROOT
def test_a_home_behind_another_users_closed_folder_is_left_alone(base: Path, closed: Path) -> None:
    theirs = a_private_folder(base, "home-theirs", owner=closed / "home", age=TWO_DAYS)

    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        postgres_place.sweep()
    finally:
        os.seteuid(0)

    assert theirs.exists()
