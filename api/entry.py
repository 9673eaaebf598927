"""The entry every request comes through: it gets an id, is timed, and is counted by its route."""

from __future__ import annotations

import re
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics
from db.ids import new_id

SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Entry:
    """Plain ASGI: Starlette's middleware base class would cost every request a task and a stream."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request, answer with its name, count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given_id(scope) or new_id().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status = 500

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, named)
        finally:
            metrics.count_request(scope, status, time.perf_counter() - began)


def _given_id(scope: Scope) -> str | None:
    """The caller's own X-Request-ID, when it is fit for a log line."""
    given: bytes = dict(scope["headers"]).get(b"x-request-id", b"")
    return given.decode() if SAFE_ID.fullmatch(given) else None
