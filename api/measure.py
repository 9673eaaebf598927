"""The measure of a body: what is longer than any sensible request is refused before it fills the memory."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIB = 1024 * 1024
FILES, WORDS = 11 * MIB, MIB
"""A file of 10 MiB with the fields around it; anything else."""


class Measure:
    """Plain ASGI. Raised while the body is read, so that 401, 403 and 404 still come first (see DeskRoute)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the body on while it is within measure."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = FILES if headers.get("content-type", "").startswith("multipart/") else WORDS
        too_large = HTTPException(413, f"at most {most // MIB} MiB at once")
        announced = headers.get("content-length", "")
        taken = int(announced) if announced.isdigit() and len(announced) <= len(str(2**63)) else 0

        async def measured() -> Message:
            # The rest of the body is drained by the server: closing on a client that is still sending loses the answer.
            nonlocal taken
            if announced and taken > most:
                raise too_large
            message = await receive()
            taken += 0 if announced else len(message.get("body", b""))
            if taken > most:
                raise too_large
            return message

        await self._app(scope, measured, send)
