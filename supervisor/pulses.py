"""Which parts live but do not answer: asked every second, told to the API by a file, ended after a minute."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from supervisor.files import write_atomically
from supervisor.home import Addresses, Home

_EVERY, _PATIENCE = 1.0, 2.0
_MISSES = 2
"""A part that misses one question may be busy."""
_LEFT_ALONE = 60.0
"""Seconds that a part may hang before it is ended, so that somebody can look at it first."""

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""The postmaster answers it by itself, also while it recovers."""
_HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HTTP_1 = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_BANNER = b""
"""A mail server speaks first."""


@dataclass(frozen=True)
class Question:
    """Where a part listens, and what makes it say something."""

    host: str
    port: int
    words: bytes

    def is_met_with_silence(self) -> bool:
        """Whether somebody takes the call and says nothing; a part that is away is not hanging."""
        try:
            with socket.create_connection((self.host, self.port), timeout=_PATIENCE) as line:
                line.sendall(self.words)
                line.recv(1)
        except TimeoutError:
            return True
        except OSError:
            return False
        return False


def questions(addresses: Addresses) -> dict[str, Question]:
    """One for each part of the instance."""
    asked = {
        "postgres": (addresses.database_url, _SSL_REQUEST),
        "temporal": (f"//{addresses.temporal_address}", _HTTP_2),
        "provider": (addresses.provider_url, _HTTP_1),
        "mail": (addresses.smtp_url, _BANNER),
        "api": (addresses.api_url, _HTTP_1),
        **{part: (url, _HTTP_1) for part, url in addresses.metrics.items()},
    }
    places = {part: (urlsplit(url), words) for part, (url, words) in asked.items()}
    return {part: Question(p.hostname, p.port, words) for part, (p, words) in places.items() if p.hostname and p.port}


@dataclass
class Watch:
    """Who hangs, since when. `is_alive` says whether a part is ours and runs; `condemn` ends it."""

    home: Home
    asked: Mapping[str, Question]
    is_alive: Callable[[str], bool]
    condemn: Callable[[str], None]
    _since: dict[str, float] = field(default_factory=dict)
    _misses: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        """Ask every part once, write down who hangs, condemn who has hung too long."""
        alive = [part for part in self.asked if self.is_alive(part)]
        with ThreadPoolExecutor(max_workers=len(self.asked)) as pool:
            silent = dict(zip(alive, pool.map(lambda part: self.asked[part].is_met_with_silence(), alive), strict=True))
        for part in self.asked:
            self._misses[part] = self._misses.get(part, 0) + 1 if silent.get(part) else 0
        before, now = set(self._since), time.monotonic()
        self._since = {part: self._since.get(part, now) for part, misses in self._misses.items() if misses >= _MISSES}
        if set(self._since) != before:
            self._write_down()
        for part in [part for part, since in self._since.items() if now - since > _LEFT_ALONE]:
            self._misses[part] = 0
            self.condemn(part)

    def _write_down(self) -> None:
        if self._since:
            write_atomically(self.home.hanging_file, "".join(f"{part}\n" for part in sorted(self._since)))
        else:
            self.home.hanging_file.unlink(missing_ok=True)

    def go_on(self, stop: threading.Event) -> None:
        """Look every second until told to stop; the file is gone then."""
        while not stop.wait(_EVERY):
            with contextlib.suppress(OSError):
                self.look()
        self.home.hanging_file.unlink(missing_ok=True)


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """A thread of its own looks after the parts for as long as the block lasts."""
    watch.home.hanging_file.unlink(missing_ok=True)
    stop = threading.Event()
    thread = threading.Thread(target=watch.go_on, args=(stop,), name="pulses", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_PATIENCE + 1)
