"""Whether the process lives, and whether the whole house is ready to work."""

from __future__ import annotations

import socket
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import problems
from db import migrate, seeding
from db.transaction import Database, DatabaseAway
from settings import Settings

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """200 while the process lives."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """200 only when every part answers, migrations are current and seeding is done; else 503 with the part."""
    settings: Settings = request.app.state.settings
    failing = _failing_part(request.app.state.database, settings)
    if failing is None:
        return JSONResponse({"status": "ready"})
    part, words = failing
    body = problems.document("unavailable", words, facts={"part": part}, request_id=request.state.request_id)
    return problems.response(body)


def _failing_part(database: Database, settings: Settings) -> tuple[str, str] | None:
    try:
        with database.tenantless() as tx:
            revision = tx.value("SELECT version_num FROM alembic_version")
            seeded = seeding.done(tx)
    except DatabaseAway as away:
        return "postgres", f"postgres: {away}"
    if revision != migrate.head():
        return "migrations", f"migrations: the database is at {revision}, this release needs {migrate.head()}"
    if not _answers(settings.temporal_address):
        return "temporal", f"temporal: {settings.temporal_address} does not answer"
    if settings.demo and not seeded:
        return "seeding", "seeding"
    return None


def _answers(address: str | None) -> bool:
    """Whether Temporal's frontend says that it serves (its gRPC health check, spoken by hand over one connection)."""
    host, _, port = (address or "").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except (OSError, ValueError):
        return False


@router.get("/metrics")
async def metrics() -> Any:
    """Prometheus figures of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
