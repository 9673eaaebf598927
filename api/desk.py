"""The desk every request comes to: who asks, may they, is the thing there, was this asked before; then one call."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg.errors import DeadlockDetected, UniqueViolation
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope
from typing_extensions import override

from api import asking, documents, strays, versions, waiting
from api.asking import Asked
from api.lanes import in_lane
from api.problems import Rejected, status_of
from api.resources import RESOURCES, resolve
from api.shapes import OperationShape, ProblemShape
from api.spec import Spec
from db import idempotency, operations
from db.operations import Operation
from db.transaction import Tx
from domain.states import Refused
from gateways.storage import Storage, storage_at

F = TypeVar("F", bound=Callable[..., Any])

TRIES = 3
EVERYWHERE = ("malformed", "unauthenticated", "forbidden", "unknown_parameter", "unavailable")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The call's work goes on as this operation; `replayed` when an earlier request with the same key began it.

    `stands` is how the operation stood when the request committed: the desk reads it.
    """

    operation_id: UUID
    replayed: bool = False
    stands: Operation | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer is this document, as soon as it has been made."""

    document_id: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not plain JSON with the route's own status."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class DeskRoute(APIRoute):
    """A route that, when the request is faulty, says 401, 403 and 404 before it says 400 or 422."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler behind our order of refusals."""
        handler = super().get_route_handler()
        spec: Spec | None = getattr(self.endpoint, "spec", None)
        known = {p.alias for p in self.dependant.query_params}
        for dependency in self.dependant.dependencies:
            known |= {p.alias for p in dependency.query_params}

        async def ordered(request: Request) -> Response:
            strange = [name for name in request.query_params if name not in known]
            if strange:
                if spec is not None:
                    await run_in_threadpool(_admit, request, spec)
                faults = [
                    asking.fault(f"?{name}", "unknown_parameter", f"{name} is no parameter here") for name in strange
                ]
                raise Rejected("unknown_parameter", f"unknown query parameter: {', '.join(strange)}", errors=faults)
            try:
                await strays.refuse_stray_fields(request, self.dependant)
                return await handler(request)
            except (RequestValidationError, HTTPException):
                if spec is not None:
                    await run_in_threadpool(_admit, request, spec)
                raise

        return ordered


class Desk(APIRouter):
    """A resource's router: each route names its permission and is one call."""

    def __init__(self, *, tag: str) -> None:
        super().__init__(prefix="/api", tags=[tag], route_class=DeskRoute)
        self._words: set[str] = set()

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path is one of this desk's; FastAPI would try every route of every desk on every request."""
        if _first_word(scope["path"].removeprefix(self.prefix)) not in self._words:
            return Match.NONE, {}
        return super().matches(scope)

    def reads(
        self, path: str, *, needs: str, single: bool = False, problems: Sequence[str] = (), **extra: Any
    ) -> Callable[[F], F]:
        """GET: `single` for one thing (it carries an ETag)."""
        return self._route("GET", path, needs=needs, status=200, single=single, problems=problems, **extra)

    def creates(
        self,
        path: str,
        *,
        needs: str,
        status: int = 201,
        rush: bool = False,
        problems: Sequence[str] = (),
        **extra: Any,
    ) -> Callable[[F], F]:
        """POST that makes a thing, or does something at once (status 200); `rush` for what a whole audience asks for at once."""
        return self._route("POST", path, needs=needs, status=status, rush=rush, problems=problems, **extra)

    def replaces(
        self, path: str, *, needs: str, problems: Sequence[str] = (), if_match: bool = False, **extra: Any
    ) -> Callable[[F], F]:
        """PUT."""
        return self._route("PUT", path, needs=needs, status=200, if_match=if_match, problems=problems, **extra)

    def removes(self, path: str, *, needs: str, problems: Sequence[str] = (), **extra: Any) -> Callable[[F], F]:
        """DELETE."""
        return self._route("DELETE", path, needs=needs, status=204, problems=problems, **extra)

    def starts(
        self,
        path: str,
        *,
        needs: str,
        method: str = "POST",
        rush: bool = False,
        problems: Sequence[str] = (),
        **extra: Any,
    ) -> Callable[[F], F]:
        """An action carried by a workflow: always 202 and an operation; `rush` for what a whole audience asks for at once."""
        return self._route(method, path, needs=needs, status=202, operation=True, rush=rush, problems=problems, **extra)

    def _route(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        status: int,
        single: bool = False,
        operation: bool = False,
        if_match: bool = False,
        rush: bool = False,
        problems: Sequence[str] = (),
        **extra: Any,
    ) -> Callable[[F], F]:
        def register(call: F) -> F:
            names = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
            spec = Spec(
                call=call,
                path=path,
                needs=needs,
                status=status,
                writes=method in ("POST", "DELETE"),
                single=single,
                is_operation=operation,
                requires_if_match=if_match,
                rush=rush,
                path_parameters=tuple(name for name in names if name in RESOURCES),
            )
            if single:
                versions.note_reader(spec)
            self._words.add(_first_word(path))
            self.add_api_route(
                path,
                _endpoint(spec),
                methods=[method],
                status_code=status,
                operation_id=call.__name__,
                summary=(call.__doc__ or "").strip().split("\n")[0].rstrip("."),
                description=inspect.cleandoc(call.__doc__ or ""),
                **_documented(spec, problems, extra),
            )
            return call

        return register


def _first_word(path: str) -> str:
    """`bookings` of `/bookings/{booking_id}`; no desk has a path that begins with a parameter."""
    return path.split("/", 2)[1] if "/" in path else ""


def _documented(spec: Spec, problems: Sequence[str], extra: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI: the permission, the problem codes by status, and the shape of the answer."""
    from api.problems import PROBLEMS

    codes = [*EVERYWHERE, "invalid", *problems]
    if spec.path_parameters:
        codes.append("not_found")
    if spec.writes:
        codes += ["idempotency_key_reused", "request_in_progress"]
    if spec.requires_if_match:
        codes += ["precondition_required", "version_mismatch"]
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in dict.fromkeys(codes):
        entry = by_status.setdefault(PROBLEMS[code].status, {"model": ProblemShape, "description": ""})
        entry["description"] = ", ".join(filter(None, [entry["description"], f"`{code}`"]))
    for entry in by_status.values():
        entry["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    hints = get_type_hints(spec.call, include_extras=True)
    shape = OperationShape if spec.is_operation else extra.pop("shape", hints.get("return"))
    described = shape if isinstance(shape, type) and issubclass(shape, BaseModel) else None
    more = extra.pop("openapi_extra", {})
    return {
        "response_model": described if spec.status != 204 else None,
        "responses": {**by_status, **extra.pop("responses", {})},
        "openapi_extra": {"x-permission": spec.needs, "x-problems": list(dict.fromkeys(codes)), **more},
        **extra,
    }


def _endpoint(spec: Spec) -> Callable[..., Any]:
    """What FastAPI calls: the handler's own parameters, its `tx` replaced by the request."""

    async def endpoint(request: Request, **given: Any) -> Response:
        asked = Asked.of(request)
        response = await in_lane(request.app, lambda: _serve(asked, spec, given), rush=spec.rush)
        if isinstance(response, Accepted):
            assert response.stands is not None, "the desk has read it"
            return await waiting.for_operation(asked, response.stands, replayed=response.replayed)
        if isinstance(response, Pending):
            return await documents.answer_document(asked, response.document_id, _storage(request))
        return response

    hints = get_type_hints(spec.call, include_extras=True)
    parameters = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)]
    for name, parameter in list(inspect.signature(spec.call).parameters.items())[1:]:
        annotation = str if name in spec.path_parameters else hints[name]
        parameters.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.spec = spec  # type: ignore[attr-defined]
    endpoint.__name__ = spec.call.__name__
    return endpoint


def _storage(request: Request) -> Storage:
    return storage_at(request.app.state.settings.documents_dir)


def _serve(asked: Asked, spec: Spec, given: dict[str, Any]) -> Response | Accepted | Pending:
    """The request, again when PostgreSQL had to break a tie between two of them: nothing of the first try is left."""
    for _ in range(TRIES):
        try:
            return _serve_once(asked, spec, given)
        except (DeadlockDetected, UniqueViolation):
            continue
    return _serve_once(asked, spec, given)


def _serve_once(asked: Asked, spec: Spec, given: dict[str, Any]) -> Response | Accepted | Pending:
    """The whole request in one transaction, in the contract's order of refusals.

    A replay comes before the 404: what an earlier DELETE has taken away is still the first answer to its key.
    """
    with asked.transaction() as tx:
        asking.require(tx, spec.needs)
        preview = bool(given.get("preview"))
        remembering = asked.idempotency(tx) if spec.writes and not preview else None
        print_of_request = _fingerprint(given) if remembering else ""
        known = asking.replay(tx, remembering, print_of_request) if remembering else None
        if known is not None:
            accepted = known.operation_id and Accepted(known.operation_id, replayed=True)
            return _standing(tx, accepted) if accepted else asking.replayed(known)
        names = _all_found(tx, asked, spec, given)
        missed = versions.misses(tx, asked, spec, names)
        tx.keep = not preview and missed is None
        result = _called(tx, spec, {**given, **names}, missed)
        if isinstance(result, Pending):
            return result
        response = _standing(tx, result) if isinstance(result, Accepted) else _rendered(spec, result, preview)
        if remembering:
            _remember(tx, remembering, print_of_request, response)
        return response


def _called(tx: Tx, spec: Spec, given: Mapping[str, Any], missed: Rejected | None) -> Any:
    """The call's own answer. Where the version is missed, what else is wrong with the request comes before that."""
    if missed is None:
        return spec.call(tx, **given)
    try:
        spec.call(tx, **given)
    except (Rejected, Refused) as refusal:
        if status_of(refusal.code) in (400, 422):
            raise
    raise missed


def _standing(tx: Tx, accepted: Accepted) -> Accepted:
    """Read before the commit: once a request has been carried out, nothing can keep its answer from being a yes."""
    return replace(accepted, stands=operation_of(tx, accepted.operation_id))


def _remember(tx: Tx, request: idempotency.Request, print_of_request: str, response: Response | Accepted) -> None:
    if isinstance(response, Accepted):
        asking.remember(tx, request, print_of_request, 202, b"", {}, response.operation_id)
    elif 200 <= response.status_code < 300:
        status, headers = response.status_code, dict(response.headers)
        asking.remember(tx, request, print_of_request, status, bytes(response.body), headers)


def _all_found(tx: Tx, asked: Asked, spec: Spec, given: Mapping[str, Any]) -> dict[str, UUID]:
    """The ids of what the path names; locked when the change depends on the version that was read."""
    lock = asked.method != "GET" and asked.if_match is not None
    return {name: _found(tx, name, str(given[name]), lock=lock) for name in spec.path_parameters}


def _found(tx: Tx, name: str, text: str, *, lock: bool = False) -> UUID:
    found = resolve(tx, name, text, lock=lock)
    if found is None:
        raise Rejected("not_found", f"no {RESOURCES[name].word.replace('_', ' ')} {text!r}"[:200])
    return found


def _admit(request: Request, spec: Spec) -> None:
    """For a request that is already known to be faulty: is it 401, 403 or 404 before that?"""
    with Asked.of(request).transaction() as tx:
        asking.require(tx, spec.needs)
        for name in spec.path_parameters:
            _found(tx, name, str(request.path_params[name]))


def _rendered(spec: Spec, result: Any, preview: bool) -> Response:
    if isinstance(result, Answer):
        return Response(result.body, result.status, dict(result.headers), media_type=result.media_type)
    if spec.status == 204 and not preview:
        return Response(status_code=204)
    body = versions.as_json(result)
    headers = {"ETag": versions.etag(body)} if spec.single else {}
    return Response(body, 200 if preview else spec.status, headers, media_type="application/json")


def _fingerprint(given: Mapping[str, Any]) -> str:
    """What was asked, as parsed: fields and file bytes, not their spelling."""
    digest = hashlib.sha256()
    for name in sorted(given):
        value = given[name]
        digest.update(name.encode() + b"\0")
        if isinstance(value, UploadFile):
            value.file.seek(0)
            digest.update(hashlib.sha256(value.file.read()).digest())
            value.file.seek(0)
        elif isinstance(value, BaseModel):
            digest.update(value.model_dump_json().encode())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def operation_of(tx: Tx, operation_id: UUID) -> operations.Operation:
    """The operation just opened or asked for."""
    found = operations.find(tx, operation_id)
    if found is None:
        raise Rejected("not_found", "no such operation")
    return found
