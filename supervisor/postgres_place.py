"""Where the cluster's data and binaries lie: in the home, or, when we are root, where an unprivileged user reaches them.

Postgres refuses to run as root, and the user it runs as cannot pass a parent folder that is closed to others. No
parent's mode is ever changed for it; the data move to a private folder instead, and the home remembers which.

A private folder's name is random, so the home that has it on record is its own, wherever that home lies by now. Only
`allotment reset` removes data of a home that may come back: one that is not at its path may have been moved, or lie on a
volume that is not mounted just now.
"""

import contextlib
import hashlib
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from supervisor import leftovers
from supervisor.errors import CannotStart
from supervisor.files import write_atomically
from supervisor.home import Home
from supervisor.postgres_binaries import Binaries, companions, inspect
from supervisor.process import Account

_BASES = ("/var/lib/allotment", "/var/tmp/allotment", "/tmp/allotment")  # noqa: S108 - each is made by us, mode 0755
_OWNER = "home"
"""File in a private folder that names the path at which its home was last started."""
_INSIDE = "postgres"
"""The folder in the home itself."""
_IDLE = 24 * 3600
"""Seconds after which nobody comes back for the data of a home that lay in a temporary folder and is gone."""


@dataclass(frozen=True)
class Place:
    """The folder of one home's cluster and the user who owns it; no account means ourselves."""

    folder: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def data_major(self) -> int | None:
        """The version that made the data, or None while there are none."""
        try:
            return int((self.data / "PG_VERSION").read_text().split(".")[0])
        except (OSError, ValueError):
            return None


def find(home: Home) -> Place:
    """The place recorded in the home, or a new one. Raises CannotStart when it belongs to another home."""
    account = _unprivileged()
    folder = recorded(home)
    if folder is None:
        sweep()
        folder = _inside(home, account) or _outside(home)
        write_atomically(_record(home), json.dumps({"folder": str(folder)}) + "\n")
    _claim(folder, home)
    return Place(folder, account)


def recorded(home: Home) -> Path | None:
    """The folder that an earlier start chose, if it is still there."""
    try:
        folder = Path(json.loads(_record(home).read_text())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if folder.name == _INSIDE:
        # It came along when the home was moved or copied; at the recorded path may be another home's by now.
        folder = home.path / _INSIDE
    return folder if folder.is_dir() else None


def reachable(binaries: Binaries, *, account: Account | None) -> Binaries:
    """Those binaries, or a copy of them that the account can run. Raises CannotStart when there is no room for one."""
    if account is None or inspect(binaries.prefix, account=account):
        return binaries
    digest = hashlib.sha256(str(binaries.prefix).encode()).hexdigest()[:8]
    for base in _BASES:
        copy = Path(base) / f"postgres-{binaries.version}-{digest}"
        try:
            _make_base(copy.parent)
            _copy_once(binaries.prefix, copy)
        except OSError:
            continue
        if found := inspect(copy, account=account):
            return found
    raise CannotStart(f"the user nobody can run Postgres from none of {', '.join(_BASES)}; set DATABASE_URL")


def forget(home: Home) -> None:
    """Removes the home's own cluster, and what vanished homes left behind in temporary folders."""
    folder = recorded(home)
    if folder and (folder == home.path / _INSIDE or _names(_owner(folder), home)):
        shutil.rmtree(folder, ignore_errors=True)
    _record(home).unlink(missing_ok=True)
    sweep()


def sweep() -> None:
    """Drops long unused private folders whose home lay in a temporary folder and is gone, and copies nobody runs."""
    for base in map(Path, _BASES):
        for folder in base.glob("home-*"):
            if folder.is_dir() and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        if base.is_dir() and not any(base.glob("home-*")) and not _runs_from(base):
            _clear(base)


def _is_abandoned(folder: Path) -> bool:
    owner = _owner(folder)
    temporary = Path(tempfile.gettempdir()).resolve()
    if owner is None or temporary not in owner.parents or not _is_gone(owner):
        return False
    return time.time() - _last_used(folder) > _IDLE and not leftovers.in_folder(str((folder / "data").resolve()))


def _last_used(folder: Path) -> float:
    """A cluster touches its folder when it starts and ends, and its control file at each checkpoint."""
    times = []
    for path in (folder, folder / _OWNER, folder / "data", folder / "data" / "global" / "pg_control"):
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times, default=time.time())


def _clear(base: Path) -> None:
    """Our copies go; a base that holds anything else stays, for it may be somebody's home."""
    for pattern in ("postgres-*", ".postgres-*"):
        for copy in base.glob(pattern):
            shutil.rmtree(copy, ignore_errors=True)
    with contextlib.suppress(OSError):
        base.rmdir()


def _is_gone(owner: Path) -> bool:
    """A home behind another user's closed folder is theirs, whether or not it is there."""
    try:
        return not owner.exists()
    except PermissionError:
        return False


def _runs_from(base: Path) -> bool:
    """Whether a cluster is served by the copies there, its data lying in a home that its user reaches."""
    for process in psutil.process_iter():
        try:
            if process.exe().startswith(f"{base}/"):
                return True
        except psutil.Error:
            continue
    return False


def password_file(home: Home) -> Path:
    """The cluster owner's password."""
    return home.path / "postgres.password"


def _record(home: Home) -> Path:
    return home.path / "postgres.json"


def _unprivileged() -> Account | None:
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534)
    return Account(entry.pw_uid, entry.pw_gid)


def _inside(home: Home, account: Account | None) -> Path | None:
    folder = home.path / _INSIDE
    if account is None:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    was_there = folder.exists()
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, account.uid, account.gid)
    if _may_write(folder, account):
        return folder
    if not was_there:
        folder.rmdir()
    return None


def _may_write(folder: Path, account: Account) -> bool:
    """Asked of the kernel as that user, so that access lists and odd file systems count too."""
    try:
        answer = subprocess.run(
            ["test", "-w", str(folder)], user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False
        )
    except OSError:
        return False
    return answer.returncode == 0


def _outside(home: Home) -> Path:
    account = _unprivileged()
    assert account is not None, "only root's data ever leave the home"
    name = f"home-{hashlib.sha256(str(home.path).encode()).hexdigest()[:10]}-{secrets.token_hex(3)}"
    for base in map(Path, _BASES):
        try:
            _make_base(base)
            folder = base / name
            folder.mkdir(mode=0o700)
            os.chown(folder, account.uid, account.gid)
        except OSError:
            continue
        if _may_write(folder, account):
            return folder
        folder.rmdir()
    raise CannotStart(f"the user nobody can write none of {', '.join(_BASES)}; set DATABASE_URL")


def _make_base(base: Path) -> None:
    """A base that every user may pass, however strict our umask; folders that were there before keep their mode.

    Raises OSError, also for one that somebody else made: what root runs or writes there would be in their hands.
    """
    for folder in (*reversed(base.parents), base):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
    if base.stat().st_uid != os.geteuid():
        raise PermissionError(f"{base} is another user's")


def _claim(folder: Path, home: Home) -> None:
    """A home that was moved keeps its data; one that was copied must not share them."""
    if folder == home.path / _INSIDE:
        return
    owner = _owner(folder)
    # Another home may lie by now where this one was; only a home that has the same folder on record is the original.
    if owner and not _names(owner, home) and recorded(Home(owner)) == folder:
        raise CannotStart(f"{home.path} is a copy of {owner}, whose data are in {folder}; start from an empty home")
    write_atomically(folder / _OWNER, f"{home.path}\n")


def _names(owner: Path | None, home: Home) -> bool:
    """Whether that path leads to this home, by whatever way."""
    try:
        return owner is not None and owner.samefile(home.path)
    except OSError:
        return False


def _owner(folder: Path) -> Path | None:
    try:
        return Path((folder / _OWNER).read_text().strip())
    except OSError:
        return None


def _copy_once(source: Path, target: Path) -> None:
    if target.exists():
        return
    half = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copytree(source, half, symlinks=True)
    if libraries := companions(source):
        shutil.copytree(libraries, half / "lib", symlinks=True, dirs_exist_ok=True)
    # The clone's umask may have been strict; the copy is for another user to run.
    for path in (half, *half.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
    try:
        half.rename(target)
    except OSError:
        shutil.rmtree(half, ignore_errors=True)
