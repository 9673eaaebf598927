"""`allotment reset`: forgets everything in a home in which nothing runs."""

import shutil

from settings import Settings
from supervisor import leftovers, postgres_place
from supervisor.errors import CannotStart
from supervisor.home import Home, Lock

_OURS = ("documents", "logs", "mail", "postgres", "provider", "run")


def reset(settings: Settings) -> None:
    """Removes what we made; the folder goes too when nothing else is in it. Raises CannotStart while something runs."""
    home = Home(settings.home)
    if not home.path.exists():
        return
    home.make()
    lock = Lock(home)
    lock.take()
    running = leftovers.of_home(home)
    if running:
        raise CannotStart(
            f"processes {', '.join(str(p.pid) for p in running)} of {home.path} still run; end them first"
        )
    postgres_place.forget(home)
    for name in _OURS:
        shutil.rmtree(home.path / name, ignore_errors=True)
    for pattern in ("temporal.*", "*.password", "*-password", "postgres.json"):
        for file in home.path.glob(pattern):
            file.unlink()
    lock.release()
    if not any(home.path.iterdir()):
        home.path.rmdir()
