"""Loopback ports: asking whether one is free, and keeping those a home has used."""

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from supervisor.errors import CannotStart
from supervisor.files import write_atomically

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections: a part that
# starts again must find its port still free.
_FIRST, _LAST = 20_000, 32_000


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def require_free(port: int) -> None:
    """Raises CannotStart naming who holds the port, as far as we may see that."""
    if not is_free(port):
        raise CannotStart(
            f"port {port} is in use{_holder(port)}; stop that, or choose another: ALLOTMENT_PORT={port + 1}"
        )


def assign(file: Path, names: Iterable[str]) -> dict[str, int]:
    """A free port per name: the one this home used last where it is still free, so that addresses survive a restart.

    A port that the file keeps for a name not asked for is nobody else's, although its part may be away just now.
    """
    known, asked = _read(file), list(names)
    taken = {port for name, port in known.items() if name not in asked}
    for name in asked:
        port = known.get(name)
        if port is None or port in taken or not is_free(port):
            port = free_port(frozenset(taken))
        known[name] = port
        taken.add(port)
    write_atomically(file, json.dumps(known, indent=1))
    return known


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def free_port(taken: frozenset[int] = frozenset()) -> int:
    """A port nobody listens on and that is not among those taken. Raises CannotStart when there is none."""
    for _ in range(1000):
        port = random.randrange(_FIRST, _LAST)
        if port not in taken and is_free(port):
            return port
    raise CannotStart(f"no free port between {_FIRST} and {_LAST}; stop what holds them")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
