"""The API's process: the application on uvicorn, until it is told to stop."""

from __future__ import annotations

import gc

import uvicorn

import logs
from api.app import THREADS, build
from db.transaction import Database
from settings import Settings, current


def settle() -> None:
    """Leave what was loaded at the start out of the garbage collector's rounds: a full one would hold every caller up."""
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve on the loopback port of the settings; stops within three seconds of SIGTERM."""
    logs.configure(part="api")
    settings = current()
    app = build(settings, database_of(settings))
    settle()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
    )


def database_of(settings: Settings) -> Database:
    """A connection for every thread."""
    return Database(str(settings.app_database_url), size=THREADS, name="api")
