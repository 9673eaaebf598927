"""The application: routers, the request id, and the three ways an error becomes a problem document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api import asking, docs, errors_page, health, lanes, openapi, problems
from api.entry import Entry
from api.measure import Measure
from api.problems import Rejected
from api.routers import ROUTERS
from db.transaction import Database, DatabaseAway
from domain.states import Refused
from gateways.temporal import Pulse
from settings import Settings

log = structlog.get_logger("api")

DESCRIPTION = """The back office of a ticket agency: buy seats in bulk, own them one by one, sell each of them once,
and close the books to the cent. Errors are problem documents (RFC 9457) with a stable `code`; see
[the catalogue](/docs/errors)."""


def build(settings: Settings, database: Database) -> FastAPI:
    """The ASGI application on this database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        lanes.narrow_the_other()
        database.open()
        yield
        database.close()

    app = FastAPI(
        title="Allotment",
        version=settings.build_id,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.database = database
    app.state.settings = settings
    lanes.lay_out(app)
    app.state.pulse = Pulse(str(settings.temporal_address), namespace=settings.temporal_namespace)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(health.router)
    app.include_router(errors_page.router)
    app.include_router(docs.router)
    openapi.install(app)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    app.add_middleware(Measure)
    app.add_middleware(Entry)
    _translate_errors(app)
    return app


def _translate_errors(app: FastAPI) -> None:
    """Every error leaves as a problem document."""
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DatabaseAway, _away)
    app.add_exception_handler(psycopg.OperationalError, _out_of_time)
    app.add_exception_handler(psycopg.DataError, _unstorable)
    app.add_exception_handler(Exception, _unexpected)


def _answer(request: Request, code: str, detail: str, **more: Any) -> Response:
    headers = more.pop("headers", None)
    request_id = getattr(request.state, "request_id", None)
    body = problems.document(code, detail, instance=request.url.path, request_id=request_id, **more)
    return problems.response(body, headers=headers)


async def _rejected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejected)
    return _answer(request, error.code, error.detail, errors=error.errors, facts=error.facts, headers=error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    code = problems.known(error.code)
    errors = [asking.fault(f.pointer, f.code, f.message) for f in error.errors]
    return _answer(request, code, error.words, errors=errors, facts=error.facts)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        return _answer(request, "malformed", "the body is not well-formed JSON")
    faults = [asking.fault(_pointer(f["loc"]), _code(f["type"]), f["msg"]) for f in found[:100]]
    code = "unknown_field" if any(f["code"] == "unknown_field" for f in faults) else "invalid"
    where = "; ".join(f"{f['pointer']}: {f['message']}" for f in faults[:3])
    return _answer(request, code, where, errors=faults)


def _pointer(loc: tuple[Any, ...]) -> str:
    """A JSON pointer for a field of the body; `?name` for a query parameter, `header name` for a header."""
    place, *path = loc
    if place == "query":
        return "?" + ".".join(map(str, path))
    if place == "header":
        return "header " + ".".join(map(str, path))
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _code(kind: str) -> str:
    return {"extra_forbidden": "unknown_field", "missing": "required"}.get(kind, "invalid")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "malformed")
    headers = dict(error.headers) if error.headers else None
    return _answer(request, code, str(error.detail), headers=headers)


async def _away(request: Request, error: Exception) -> Response:
    log.warning("the database is away", error=str(error))
    return _answer(request, "unavailable", "the database cannot be reached just now; nothing was done")


async def _out_of_time(request: Request, error: Exception) -> Response:
    """The database answers, and has given up on a statement: another held what it needed for too long."""
    log.warning("the database gave up on a statement", error=str(error))
    return _answer(request, "unavailable", "this could not be done in time; nothing was done")


async def _unstorable(request: Request, error: Exception) -> Response:
    """PostgreSQL cannot hold what was sent: a gap in the checks of the fields, but no reason to fail."""
    log.error("a value reached the database that it cannot hold", error=str(error))
    return _answer(request, "invalid", "a value is out of the range that can be stored")


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return _answer(request, "internal", "something went wrong here; nothing was changed")
