"""/api/auth, /api/api-keys, /api/users: who may do what."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field, StringConstraints

from activities import access as steps
from api import asking
from api.desk import Desk, DeskRoute
from api.pages import After, Limit, id_after, page
from api.problems import Rejected
from api.shapes import Body, Email, Instant, Name, Page, ProblemShape, Shape
from db import access
from db.transaction import Tx
from domain.access import ROLES, SELF, with_reads

desk = Desk(tag="access")
login = APIRouter(prefix="/api/auth", tags=["access"], route_class=DeskRoute)

PROBLEM = {"model": ProblemShape, "content": {"application/problem+json": {}}}
Secret = Annotated[str, Form(max_length=500)]

# What each grant must have, and what OAuth2 clients send along (RFC 6749 sections 2.3.1 and 3.3, RFC 7009 section 2.1).
GRANTS = {"password": ("username", "password"), "refresh_token": ("refresh_token",)}
CLIENT_FIELDS = {"client_id", "client_secret"}
LOGIN_FIELDS = {"grant_type", "username", "password", "refresh_token", "scope", *CLIENT_FIELDS}
REVOCATION_FIELDS = {"token", "token_type_hint", *CLIENT_FIELDS}


class TokenShape(Shape):
    """A pair of tokens (RFC 6749 section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 -- the name of the scheme
    expires_in: int


@login.post(
    "/token",
    response_model=TokenShape,
    operation_id="log_in",
    summary="Log in, or trade a refresh token for a new pair",
    responses={400: PROBLEM, 401: PROBLEM, 422: PROBLEM, 429: PROBLEM, 503: PROBLEM},
    openapi_extra={"x-permission": None, "x-problems": ["invalid_credentials", "invalid_token", "too_many_attempts"]},
)
async def log_in(
    request: Request,
    grant_type: Annotated[str, Form(pattern="^(password|refresh_token)$")],
    username: Secret = "",
    password: Secret = "",
    refresh_token: Secret = "",
) -> Response:
    """OAuth2 password grant, or refresh grant."""
    await _check_form(request, known=LOGIN_FIELDS, required=GRANTS[grant_type])
    database = request.app.state.database
    if grant_type == "refresh_token":
        tokens = await run_in_threadpool(lambda: steps.refresh(database, token=refresh_token))
    else:
        address = request.client.host if request.client else ""
        tokens = await run_in_threadpool(
            lambda: steps.log_in(database, account=_plain(username), password=password, address=address)
        )
    shape = TokenShape(
        access_token=tokens.access_token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in
    )
    return JSONResponse(shape.model_dump(), headers={"Cache-Control": "no-store"})


@login.post(
    "/revoke",
    operation_id="revoke_token",
    summary="Revoke a token and every token of the same login",
    responses={400: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    openapi_extra={"x-permission": None, "x-problems": []},
)
async def revoke_token(request: Request, token: Secret) -> dict[str, Any]:
    """Dead at once; an unknown token is answered the same."""
    await _check_form(request, known=REVOCATION_FIELDS, required=())
    await run_in_threadpool(lambda: steps.revoke(request.app.state.database, token=token))
    return {}


async def _check_form(request: Request, *, known: Collection[str], required: Collection[str]) -> None:
    """Raise Rejected for a field nobody knows, or one that is missing."""
    form = await request.form()
    strange = [asking.fault(f"/{name}", "unknown_field", "no such field") for name in form if name not in known]
    missing = [asking.fault(f"/{name}", "required", "Field required") for name in required if name not in form]
    if strange:
        raise Rejected("unknown_field", f"{strange[0]['pointer']}: no such field", errors=[*strange, *missing])
    if missing:
        raise Rejected("invalid", f"{missing[0]['pointer']}: Field required", errors=missing)


def _plain(text: str) -> str:
    """An account name PostgreSQL can take: a NUL is in no address."""
    return text.replace("\0", "\ufffd")


class TenantShape(Shape):
    """The agency."""

    id: UUID
    name: str
    currency: str
    timezone: str


class MeShape(Shape):
    """Who I am and what I may do."""

    id: UUID
    email: str | None
    name: str
    tenant: TenantShape
    roles: list[str]
    permissions: list[str]


@desk.reads("/auth/me", needs=SELF, single=True)
def read_me(tx: Tx) -> MeShape:
    """Read who is logged in."""
    assert tx.principal is not None
    person = access.user(tx, tx.principal.user_id) if tx.principal.user_id else None
    return MeShape(
        id=person.id if person else tx.principal.credential_id,
        email=person.email if person else None,
        name=person.name if person else tx.principal.actor,
        tenant=TenantShape.model_validate(access.tenant(tx)),
        roles=[tx.principal.role] if person else [],
        permissions=sorted(with_reads(tx.principal.permissions)),
    )


class NewKey(Body):
    """A key for a program; scopes are permissions."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "website", "scopes": ["events:read", "bookings:write"]}}
    )

    name: Name
    scopes: Annotated[list[str], Field(min_length=1, max_length=60)]


class KeyShape(Shape):
    """A key without its secret."""

    id: UUID
    object: str = "api_key"
    name: str
    scopes: list[str]
    prefix: str
    created_at: Instant


class NewKeyShape(KeyShape):
    """A key with its secret, shown once: a repeated request is answered without it."""

    key: str | None = None


@desk.creates("/api-keys", needs="api-keys:write", problems=["unknown_scope"])
def create_key(tx: Tx, body: NewKey) -> NewKeyShape:
    """Create an API key; the answer is the only place where the key is ever shown."""
    key_id, _, secret = steps.create_key(tx, name=body.name, scopes=body.scopes)
    shown = access.api_key(tx, key_id)
    return NewKeyShape(**KeyShape.model_validate(shown).model_dump(), key=secret)


@desk.reads("/api-keys", needs="api-keys:read")
def list_keys(tx: Tx, limit: Limit = 50, after: After = None) -> Page[KeyShape]:
    """List living API keys, newest first."""
    rows = access.api_keys(tx, after=id_after(after), limit=limit)
    return page(rows, limit, KeyShape.model_validate, lambda row: row.id)


@desk.removes("/api-keys/{key_id}", needs="api-keys:write")
def revoke_key(tx: Tx, key_id: UUID) -> None:
    """Revoke an API key; it is dead at once."""
    if access.api_key(tx, key_id) is None:
        raise Rejected("not_found", "no such API key")
    tx.run("UPDATE credentials SET revoked_at = now() WHERE id = %s", (key_id,))


class NewUser(Body):
    """A person of this agency."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "ines@parkside.example",
                "name": "Ines",
                "role": "buyer",
                "password": "a long passphrase",
            }
        }
    )

    email: Email
    name: Name
    role: Annotated[str, Field(pattern=f"^({'|'.join(ROLES)})$")]
    password: Annotated[str, StringConstraints(min_length=10, max_length=200)]


class UserShape(Shape):
    """A person of this agency."""

    id: UUID
    object: str = "user"
    email: str
    name: str
    role: str
    active: bool
    created_at: Instant


@desk.creates("/users", needs="users:write", problems=["email_taken"])
def create_user(tx: Tx, body: NewUser) -> UserShape:
    """Create a user of this agency."""
    user_id = steps.add_user(tx, email=body.email, name=body.name, role=body.role, password=body.password)
    return UserShape.model_validate(access.user(tx, user_id))


@desk.reads("/users", needs="users:read")
def list_users(tx: Tx, limit: Limit = 50, after: After = None) -> Page[UserShape]:
    """List the users of this agency, newest first."""
    rows = access.users(tx, after=id_after(after), limit=limit)
    return page(rows, limit, UserShape.model_validate, lambda row: row.id)
