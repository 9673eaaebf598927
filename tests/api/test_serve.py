"""The API's process: what a caller may make it believe about where he is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api import serve
from supervisor.ports import free_port


@contextmanager
def served() -> Iterator[str]:
    """An application that says whom it sees, served as ours is."""

    async def whom(request: Request) -> PlainTextResponse:
        assert request.client
        return PlainTextResponse(f"{request.url.scheme} {request.client.host}")

    port = free_port()
    config = uvicorn.Config(Starlette(routes=[Route("/", whom)]), host="127.0.0.1", port=port, **serve.OPTIONS)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end, "it never served"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "198.51.100.1"},
        {"X-Forwarded-For": "198.51.100.1, 198.51.100.2", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=198.51.100.1;proto=https"},
    ],
)
def test_a_caller_is_where_his_connection_comes_from_whatever_he_says(headers: dict[str, str]) -> None:
    with served() as url:
        answer = httpx2.get(url, headers=headers, trust_env=False)

    assert answer.text == "http 127.0.0.1"
