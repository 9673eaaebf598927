"""Logging in and out, and making agencies, users and keys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from pwdlib import PasswordHash

from db import access, history
from db.ids import new_id
from db.transaction import Database, Tx
from domain.access import check_scopes, permissions_of
from domain.money import quantum
from domain.states import Refused

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
CENT = Decimal("0.01")
SETTINGS = ("service_fee_percent", "timezone", "reservation_window")
FAILURES_ALLOWED, FAILURES_WITHIN = 10, timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """A fresh pair; the secrets exist nowhere else."""

    access_token: str
    refresh_token: str
    expires_in: int


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    """The hash an unknown account is checked against, so that it takes as long as a known one."""
    return _hasher().hash(secrets.token_urlsafe(16))


def hashed(secret: str) -> bytes:
    """The only form in which a token or key is kept (SHA-256: the secret has 256 random bits of its own)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def log_in(database: Database, *, account: str, password: str, address: str) -> Tokens:
    """Check a password and begin a family of tokens.

    Raises Refused `too_many_attempts` after 10 failures of the account from the address within 10 minutes, and
    `invalid_credentials`, after the same time, for a wrong password and for an unknown account.
    """
    account = account.strip().lower()
    with database.tenantless() as tx:
        _check_attempts(tx, account=account, address=address)
        login = access.find_login(tx, account)
    # The slow hash runs outside any transaction: it must not keep a connection busy.
    right = _hasher().verify(password, login.password_hash if login else _nobody())
    if login is None or not right:
        with database.tenantless() as tx:
            # Of many who guessed meanwhile each is counted before the next is answered.
            access.fail_one_by_one(tx, account=account, address=address)
            _check_attempts(tx, account=account, address=address)
            access.note_failure(tx, account=account, address=address)
        raise Refused("invalid_credentials", "e-mail address and password do not match")
    with database.transaction(login.tenant_id, actor=account) as tx:
        return _issue(tx, user_id=login.user_id, role=login.role, family_id=new_id())


def _check_attempts(tx: Tx, *, account: str, address: str) -> None:
    if access.failures(tx, account=account, address=address, within=FAILURES_WITHIN) >= FAILURES_ALLOWED:
        raise Refused("too_many_attempts", "too many failed logins for this account from this address")


def refresh(database: Database, *, token: str) -> Tokens:
    """Trade a refresh token for a new pair; one used twice kills its whole family (RFC 9700 section 4.14)."""
    with database.tenantless() as tx:
        family_id = access.hold_family(tx, hashed(token))
        found = access.find_refresh(tx, hashed(token)) if family_id else None
        if found is None or not found.alive:
            raise Refused("invalid_token", "the refresh token is unknown, expired or revoked")
        if access.use_refresh(tx, found.credential_id):
            role = access.user(tx, found.user_id).role
            return _issue(tx, user_id=found.user_id, role=role, family_id=found.family_id)
        access.revoke_family(tx, found.family_id)
    raise Refused("invalid_token", "the refresh token was used before; every token of this login is revoked now")


def revoke(database: Database, *, token: str) -> None:
    """The token and its family are dead at once; an unknown token is no news (RFC 7009 section 2.2)."""
    with database.tenantless() as tx:
        family_id = access.hold_family(tx, hashed(token))
        if family_id is not None:
            access.revoke_family(tx, family_id)


def create_tenant(database: Database, *, name: str, currency: str, timezone: str, locale: str = "en") -> UUID:
    """Make an agency; the one of the same name is returned when it exists.

    Raises Refused `currency_not_supported` for a currency that is not in use, or has more decimals than are stored.
    """
    if quantum(currency) < CENT:
        raise Refused("currency_not_supported", f"{currency} has more than two decimals, which cannot be stored yet")
    with database.tenantless() as tx:
        known = access.tenants(tx, name=name)
    if known:
        return known[0]
    tenant_id = new_id()
    with database.transaction(tenant_id) as tx:
        access.add_tenant(tx, name=name, currency=currency, timezone=timezone, locale=locale)
    return tenant_id


def change_settings(tx: Tx, *, changes: Mapping[str, Any]) -> None:
    """Replace the settings named in `changes` and note each one that is different now; None means something only for
    the reservation window: the installation's default.
    """
    tenant = access.take_tenant(tx)
    before = {name: getattr(tenant, name) for name in SETTINGS}
    after = {name: changes.get(name, before[name]) for name in SETTINGS}
    for name in SETTINGS[:2]:
        after[name] = before[name] if after[name] is None else after[name]
    for name in SETTINGS:
        if before[name] != after[name]:
            was, now = f"{name} {before[name]}", f"{name} {after[name]}"
            history.note(tx, object="settings", subject_id=tenant.id, from_status=was, to_status=now)
    access.change_settings(tx, **after)


def add_user(tx: Tx, *, email: str, name: str, role: str, password: str) -> UUID:
    """Make a user of this agency; Refused `email_taken` when the address already logs in somewhere."""
    permissions_of(role)
    user_id = access.add_user(tx, email=email.lower(), name=name, role=role, password_hash=_hasher().hash(password))
    if user_id is None:
        raise Refused("email_taken", f"{email} already has a login", pointer="/email")
    return user_id


def create_key(tx: Tx, *, name: str, scopes: list[str]) -> tuple[UUID, str, str]:
    """Make an API key: its id, its prefix and the key itself, which is never seen again. Raises Refused `unknown_scope`."""
    check_scopes(scopes)
    secret = f"alk_{secrets.token_urlsafe(32)}"
    key_id = access.add_credential(
        tx,
        kind="API_KEY",
        secret_hash=hashed(secret),
        user_id=None,
        family_id=new_id(),
        permissions=sorted(set(scopes)),
        lifetime=None,
        name=name,
        prefix=secret[:12],
    )
    return key_id, secret[:12], secret


def _issue(tx: Tx, *, user_id: UUID, role: str, family_id: UUID) -> Tokens:
    tokens = Tokens(
        access_token=f"ala_{secrets.token_urlsafe(32)}",
        refresh_token=f"alr_{secrets.token_urlsafe(32)}",
        expires_in=int(ACCESS_LIFE.total_seconds()),
    )
    permissions = sorted(permissions_of(role))
    for kind, secret, life in (
        ("ACCESS", tokens.access_token, ACCESS_LIFE),
        ("REFRESH", tokens.refresh_token, REFRESH_LIFE),
    ):
        access.add_credential(
            tx,
            kind=kind,
            secret_hash=hashed(secret),
            user_id=user_id,
            family_id=family_id,
            permissions=permissions,
            lifetime=life,
        )
    return tokens
