"""The wire between the API and PostgreSQL, listened to: which statements were sent, and in how many round trips."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo

LOCKS, FRAME = "FOR NO KEY UPDATE", ("BEGIN", "COMMIT", "ROLLBACK")
GATHER = 65536

Trip = list[str]
"""The statements that went out together, before anybody waited for an answer."""


@dataclass
class Wire:
    """A relay for one connection at a time that keeps what the client of the latest one says."""

    url: str
    said: bytearray = field(default_factory=bytearray)

    def trips(self, since: int) -> list[Trip]:
        """The round trips after so many bytes; statements prepared before are known by what they were prepared from."""
        names: dict[bytes, str] = {}
        trips: list[Trip] = []
        flight: Trip = []
        bound = ""
        for at, kind, payload in _messages(bytes(self.said)):
            if kind == b"P":
                name, text, _ = payload.split(b"\0", 2)
                names[name] = text.decode()
            elif kind == b"B":
                bound = names[payload.split(b"\0", 2)[1]]
            elif kind in b"EQ":
                flight += [bound] if kind == b"E" else [word.strip() for word in payload[:-1].decode().split(";")]
            if kind in b"QS" and flight:
                if at >= since:
                    trips.append(flight)
                flight = []
        return trips


@contextmanager
def listened_to(url: str) -> Iterator[Wire]:
    """A relay before that server for as long as the block lasts; its `url` is the same login through it."""
    there = conninfo_to_dict(url)
    with socket.create_server(("127.0.0.1", 0)) as door:
        here = {"host": "127.0.0.1", "port": door.getsockname()[1], "sslmode": "disable", "gssencmode": "disable"}
        wire = Wire(make_conninfo(url, **here))
        server = (str(there["host"]), int(str(there["port"])))
        threading.Thread(target=_relay, args=(door, server, wire), daemon=True).start()
        yield wire


def statements(trips: Sequence[Trip]) -> list[str]:
    """What did some work: all but the frame of the transaction."""
    return [statement for trip in trips for statement in trip if statement not in FRAME]


def trips_with_locks(trips: Sequence[Trip]) -> int:
    """How often the client was waited for while rows were locked: the round trips after the first that locks."""
    first = next(place for place, trip in enumerate(trips) if any(LOCKS in statement for statement in trip))
    return len(trips) - first - 1


def _messages(said: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Where each message of the protocol begins, its kind and the rest of it; the greeting has no kind."""
    at = int.from_bytes(said[:4], "big")
    while at < len(said):
        length = int.from_bytes(said[at + 1 : at + 5], "big")
        yield at, said[at : at + 1], said[at + 5 : at + 1 + length]
        at += 1 + length


def _relay(door: socket.socket, server: tuple[str, int], wire: Wire) -> None:
    while True:
        try:
            client, _ = door.accept()
        except OSError:
            return
        wire.said = bytearray()
        with client, socket.create_connection(server) as there:
            back = threading.Thread(target=_pump, args=(there, client, None), daemon=True)
            back.start()
            _pump(client, there, wire.said)
            back.join()


def _pump(source: socket.socket, target: socket.socket, kept: bytearray | None) -> None:
    try:
        while data := source.recv(GATHER):
            if kept is not None:
                kept += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
