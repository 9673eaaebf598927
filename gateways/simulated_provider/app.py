"""The provider's HTTP surface; a call that is meant to hang holds nothing but its own connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateways.simulated_provider.book import Book, KeyReused
from gateways.simulated_provider.vocabulary import Demand, Effect, Kind
from gateways.simulated_provider.wire import (
    STATUS,
    AuthorisationBody,
    MoneyBody,
    VoidBody,
    charge_json,
    effect_json,
)

T = TypeVar("T")

log = logging.getLogger("provider")

LONGEST_SILENCE = 60.0
"""Seconds after which even a hanging call ends; every caller has given up long before."""

_KEY: TypeAdapter[str] = TypeAdapter(Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")])


class Page(BaseModel):
    """Which part of the book is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    merchant_reference: str | None = None
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=500, ge=1, le=1000)


class Counter:
    """Where demands arrive; the book itself is worked by one thread, so that a slow disk never stops the counter."""

    def __init__(self, book: Book) -> None:
        self.stopping = asyncio.Event()
        self._book = book
        self._clerk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="book")

    @asynccontextmanager
    async def open(self, _: Starlette) -> AsyncIterator[None]:
        """The book is closed when the process has served."""
        yield
        await self._ask(self._book.close)
        self._clerk.shutdown()

    async def authorise(self, request: Request) -> Response:
        """Promises money, or says why not."""
        body = AuthorisationBody.model_validate_json(await request.body())
        return await self._perform(request, body.demand(_key(request)))

    async def capture(self, request: Request) -> Response:
        """Takes promised money."""
        return await self._perform(request, await _about_money(request, Kind.CAPTURE))

    async def refund(self, request: Request) -> Response:
        """Gives taken money back."""
        return await self._perform(request, await _about_money(request, Kind.REFUND))

    async def void(self, request: Request) -> Response:
        """Lets a promise go."""
        VoidBody.model_validate_json(await request.body() or b"{}")
        demand = Demand(key=_key(request), kind=Kind.VOID, charge=request.path_params["reference"])
        return await self._perform(request, demand)

    async def look_up(self, request: Request) -> Response:
        """What became of a key: always answers at once, and truly."""
        key = _KEY.validate_python(request.query_params.get("key", ""))
        effect = await self._ask(lambda: self._book.look_up(key))
        if effect is None:
            return JSONResponse({"key": key, "state": "missing"}, status_code=404)
        return JSONResponse(effect_json(effect))

    async def show_book(self, request: Request) -> Response:
        """The charges, a page at a time; `next` is the `after` of the following page, or null."""
        page = Page.model_validate(dict(request.query_params))
        charges = await self._ask(lambda: self._book.charges(**page.model_dump()))
        more = len(charges) == page.limit
        return JSONResponse(
            {
                "charges": [charge_json(charge) for charge in charges],
                "next": charges[-1].sequence if more else None,
            }
        )

    async def health(self, _: Request) -> Response:
        """The process lives and its book can be read."""
        await self._ask(lambda: self._book.look_up("health"))
        return JSONResponse({"status": "ok"})

    async def _perform(self, request: Request, demand: Demand) -> Response:
        effect, behaviour = await self._ask(lambda: self._book.perform(demand))
        if behaviour is not None:
            log.info("%s %s %s %s %s", effect.kind, effect.state, effect.amount, effect.currency, effect.key)
            if effect.kind in behaviour.silent:
                await self._keep_silent(request, LONGEST_SILENCE)
                return _fault(504, "no_answer")
        return await self._answer(request, effect)

    async def _answer(self, request: Request, effect: Effect) -> Response:
        wait = (effect.answer_at - datetime.now(UTC)).total_seconds()
        if wait > 0:
            await self._keep_silent(request, wait)
        return JSONResponse(effect_json(effect), status_code=STATUS.get(effect.state, 200))

    async def _keep_silent(self, request: Request, seconds: float) -> None:
        """Waits until the caller hangs up, the process stops, or the time is over."""
        waits = {asyncio.create_task(_hung_up(request)), asyncio.create_task(self.stopping.wait())}
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, question)


def make_app(counter: Counter) -> Starlette:
    """The routes before the counter."""
    return Starlette(
        routes=[
            Route("/v1/authorisations", counter.authorise, methods=["POST"]),
            Route("/v1/charges/{reference}/captures", counter.capture, methods=["POST"]),
            Route("/v1/charges/{reference}/voids", counter.void, methods=["POST"]),
            Route("/v1/charges/{reference}/refunds", counter.refund, methods=["POST"]),
            Route("/v1/effects", counter.look_up),
            Route("/v1/book", counter.show_book),
            Route("/healthz", counter.health),
        ],
        exception_handlers={ValidationError: _on_invalid, KeyReused: _on_reuse},
        lifespan=counter.open,
    )


def _key(request: Request) -> str:
    return _KEY.validate_python(request.headers.get("idempotency-key", ""))


async def _about_money(request: Request, kind: Kind) -> Demand:
    body = MoneyBody.model_validate_json(await request.body())
    return Demand(
        key=_key(request),
        kind=kind,
        amount=body.decimal,
        currency=body.currency,
        charge=request.path_params["reference"],
    )


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    problems = [{"at": list(e["loc"]), "message": e["msg"]} for e in error.errors(include_url=False)]
    return _fault(422, "invalid_request", problems=problems)


async def _on_reuse(_: Request, error: Exception) -> Response:
    return _fault(422, "idempotency_key_reused", key=str(error))


def _fault(status: int, code: str, **more: Any) -> JSONResponse:
    return JSONResponse({"error": code, **more}, status_code=status)
