"""The API's process: the application on uvicorn, until it is told to stop."""

from __future__ import annotations

import gc
import sys
from typing import Any

import uvicorn

import logs
from api.app import build
from api.lanes import THREADS
from db.transaction import Database
from settings import Settings, current

OPTIONS: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    # Whoever may say in a header where he comes from is never slowed down by the limit on logins.
    "proxy_headers": False,
    "timeout_graceful_shutdown": 2,
    "timeout_keep_alive": 30,
}
"""How uvicorn serves, wherever that is."""


TURN = 0.001
"""Seconds after which a thread lets another go on. With Python's own five a request waits behind whole others, and so does
the loop that hears and answers all of them (docs/decisions/0011)."""


def settle() -> None:
    """Short turns for the threads, and nothing that was loaded at the start in the garbage collector's rounds: a full one
    would hold every caller up.
    """
    sys.setswitchinterval(TURN)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve on the loopback port of the settings; stops within three seconds of SIGTERM."""
    logs.configure(part="api")
    settings = current()
    app = build(settings, database_of(settings))
    settle()
    uvicorn.run(app, host=settings.host, port=settings.port, **OPTIONS)


def database_of(settings: Settings) -> Database:
    """A connection for every thread."""
    return Database(str(settings.app_database_url), size=THREADS, name="api")
