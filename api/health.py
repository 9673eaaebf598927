"""Whether the process lives, and whether the whole house is ready to work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from api import problems
from db import revision, seeding
from db.transaction import Database, DatabaseAway
from gateways.temporal import Pulse
from settings import Settings

router = APIRouter(include_in_schema=False)

PATIENCE = 3.0
ANSWERING = ("api",)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """200 while the process lives."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 only when every part answers, migrations are current and seeding is done; else 503 with the part."""
    settings: Settings = request.app.state.settings
    pulse: Pulse = request.app.state.pulse
    failing = await _looked_at(request)
    if (failing is None or failing[0] == "seeding") and not await pulse.beats():
        failing = "temporal", f"temporal: {settings.temporal_address} does not answer"
    failing = failing or _hanging(settings.run_dir / "hanging")
    if failing is None:
        return JSONResponse({"status": "ready"})
    part, words = failing
    body = problems.document("unavailable", words, facts={"part": part}, request_id=request.state.request_id)
    return problems.response(body)


def _hanging(told: Path) -> tuple[str, str] | None:
    """The first part that whoever started us says lives but does not answer; we answer ourselves."""
    try:
        parts = [part for part in told.read_text().split() if part not in ANSWERING]
    except OSError:
        return None
    return (parts[0], f"{parts[0]}: does not answer") if parts else None


async def _looked_at(request: Request) -> tuple[str, str] | None:
    """What the database says, or that it hangs; a look that is stuck is waited for again, never joined by a second."""
    state = request.app.state
    look: asyncio.Task[tuple[str, str] | None] | None = getattr(state, "look", None)
    if look is None or look.done():
        look = asyncio.ensure_future(_in_own_thread(state.database, state.settings))
        state.look = look
    try:
        return await asyncio.wait_for(asyncio.shield(look), PATIENCE)
    except TimeoutError:
        return "postgres", "postgres: does not answer"


async def _in_own_thread(database: Database, settings: Settings) -> tuple[str, str] | None:
    """A thread that no rush of requests can keep from us."""
    return await to_thread.run_sync(_failing_part, database, settings, limiter=CapacityLimiter(1))


def _failing_part(database: Database, settings: Settings) -> tuple[str, str] | None:
    try:
        with database.tenantless() as tx:
            found = tx.value("SELECT version_num FROM alembic_version")
            seeded = seeding.done(tx)
    except DatabaseAway as away:
        return "postgres", f"postgres: {away}"
    except (UndefinedTable, InsufficientPrivilege):
        # Nobody has migrated yet, or he is at it: the rights on the tables are handed out last.
        return "migrations", f"migrations: the database is not migrated, this release needs {revision.head()}"
    except psycopg.OperationalError:
        return "postgres", "postgres: does not answer in time"
    if found != revision.head():
        return "migrations", f"migrations: the database is at {found}, this release needs {revision.head()}"
    if settings.demo and not seeded:
        return "seeding", "seeding"
    return None


@router.get("/metrics")
async def metrics() -> Any:
    """Prometheus figures of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
