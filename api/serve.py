"""The API's process: the application on uvicorn, until it is told to stop."""

from __future__ import annotations

import uvicorn

import logs
from api.app import build
from db.transaction import Database
from settings import current


def main() -> None:
    """Serve on the loopback port of the settings; stops within three seconds of SIGTERM."""
    logs.configure(part="api")
    settings = current()
    database = Database(str(settings.app_database_url), size=8, name="api")
    uvicorn.run(
        build(settings, database),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
    )
