"""The provider as a supervised process: its home and address come from the environment, SIGTERM ends it at once."""

import asyncio
import logging
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from typing_extensions import override

import settings
from gateways.simulated_provider.app import Counter, make_app
from gateways.simulated_provider.book import Book
from gateways.simulated_provider.tables import ForeignBook

STOP_WITHIN = 2
"""Seconds an answer under way gets; hanging calls get none."""


def main() -> None:
    """Serves until SIGTERM or SIGINT; exits 0 then, and 1 when the address is taken.

    Reads ALLOTMENT_PROVIDER_URL (http://host:port) and keeps $ALLOTMENT_HOME/provider/book.sqlite3.
    Raises SystemExit with a line that says what is missing.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve())


async def _serve() -> None:
    environment = settings.current()
    host, port = _address(environment.provider_url)
    counter = Counter(_opened(environment.home / "provider" / "book.sqlite3"))
    config = uvicorn.Config(
        make_app(counter),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=STOP_WITHIN,
        ws="none",
    )
    await _Server(config, stopping=counter.stopping).serve()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not handed to the parent class: it would raise the signal again after a clean end.
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stopping.set)


def _opened(path: Path) -> Book:
    try:
        return Book(path)
    except ForeignBook as foreign:
        raise SystemExit(str(foreign)) from foreign


def _address(url: str | None) -> tuple[str, int]:
    parts = urlsplit(url or "")
    if parts.scheme != "http" or parts.hostname is None or parts.port is None:
        raise SystemExit("ALLOTMENT_PROVIDER_URL must say http://host:port")
    return parts.hostname, parts.port
