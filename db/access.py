"""Tenants, users and credentials: the rows behind every login, token and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from db.ids import new_id
from db.transaction import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """One agency and its settings; a NULL window means the installation's default."""

    id: UUID
    name: str
    currency: str
    timezone: str
    locale: str
    service_fee_percent: Decimal
    reservation_window: timedelta | None
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person who may log in."""

    id: UUID
    email: str
    name: str
    role: str
    active: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What a login attempt is checked against."""

    tenant_id: UUID
    user_id: UUID
    password_hash: str
    role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refresh:
    """A refresh token as found: used already, or no longer alive."""

    tenant_id: UUID
    credential_id: UUID
    user_id: UUID
    family_id: UUID
    used: bool
    alive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key as it may be shown: never its secret."""

    id: UUID
    name: str
    scopes: Sequence[str]
    prefix: str
    created_at: datetime


TENANT = "id, name, currency, timezone, locale, service_fee_percent, reservation_window, version"
USER = "id, email, name, role, active, created_at"


def tenant(tx: Tx) -> Tenant:
    """The agency this transaction works for."""
    return tx.one(f"SELECT {TENANT} FROM tenants WHERE id = %s", (tx.tenant_id,), into=Tenant)


def take_tenant(tx: Tx) -> Tenant:
    """The agency, its row locked until the transaction ends."""
    return tx.one(f"SELECT {TENANT} FROM tenants WHERE id = %s FOR NO KEY UPDATE", (tx.tenant_id,), into=Tenant)


def tenants(tx: Tx, *, name: str | None = None) -> list[UUID]:
    """Every agency's id, or the one of this name."""
    return tx.values("SELECT tenant_id FROM find_tenants(%s)", (name,))


def add_tenant(tx: Tx, *, name: str, currency: str, timezone: str, locale: str) -> None:
    """Make the agency whose id the transaction has already named."""
    tx.run(
        "INSERT INTO tenants (id, name, currency, timezone, locale) VALUES (%s, %s, %s, %s, %s)",
        (tx.tenant_id, name, currency, timezone, locale),
    )


def change_settings(
    tx: Tx, *, service_fee_percent: Decimal, timezone: str, reservation_window: timedelta | None
) -> None:
    """Replace the agency's settings."""
    tx.run(
        """UPDATE tenants SET service_fee_percent = %s, timezone = %s, reservation_window = %s, version = version + 1
           WHERE id = %s""",
        (service_fee_percent, timezone, reservation_window, tx.tenant_id),
    )


def add_user(tx: Tx, *, email: str, name: str, role: str, password_hash: str) -> UUID | None:
    """Make a user; None when the address is taken (in any agency: a login must be unambiguous)."""
    found: UUID | None = tx.value(
        """INSERT INTO users (tenant_id, id, email, name, role, password_hash) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING RETURNING id""",
        (tx.tenant_id, new_id(), email, name, role, password_hash),
    )
    return found


def user(tx: Tx, user_id: UUID) -> User:
    """One user of this agency."""
    return tx.one(f"SELECT {USER} FROM users WHERE id = %s", (user_id,), into=User)


def users(tx: Tx, *, after: UUID | None, limit: int) -> list[User]:
    """A page of users, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {USER} FROM users WHERE %(after)s::uuid IS NULL OR id < %(after)s
            ORDER BY id DESC LIMIT %(limit)s""",
        {"after": after, "limit": limit + 1},
        into=User,
    )


def find_login(tx: Tx, account: str) -> Login | None:
    """The active user of this address in any agency; the transaction is that agency's from here on."""
    found = tx.maybe("SELECT * FROM find_login(%s)", (account,), into=Login)
    if found is not None:
        tx.tenant_id = found.tenant_id
    return found


def find_refresh(tx: Tx, secret_hash: bytes) -> Refresh | None:
    """A refresh token in any agency; the transaction is that agency's from here on."""
    found = tx.maybe("SELECT * FROM find_refresh(%s)", (secret_hash,), into=Refresh)
    if found is not None:
        tx.tenant_id = found.tenant_id
    return found


def hold_family(tx: Tx, secret_hash: bytes) -> UUID | None:
    """The family of an access or refresh token in any agency; its other askers wait until this transaction ends.

    Without it two uses of one token would lock the family's rows in different orders, and a refresh could outlive
    a revocation that ran beside it.
    """
    rows = tx.dicts("SELECT * FROM find_family(%s)", (secret_hash,))
    if not rows:
        return None
    tx.tenant_id = rows[0]["tenant_id"]
    family: UUID = rows[0]["family_id"]
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(family),))
    return family


def add_credential(  # noqa: PLR0913 -- one argument per column
    tx: Tx,
    *,
    kind: str,
    secret_hash: bytes,
    user_id: UUID | None,
    family_id: UUID,
    permissions: Sequence[str],
    lifetime: timedelta | None,
    name: str | None = None,
    prefix: str | None = None,
) -> UUID:
    """Keep the hash of a new secret."""
    credential_id = new_id()
    tx.run(
        """INSERT INTO credentials
               (tenant_id, id, kind, secret_hash, user_id, family_id, permissions, expires_at, name, prefix)
           VALUES (%s, %s, %s, %s, %s, %s, %s, now() + %s, %s, %s)""",
        (tx.tenant_id, credential_id, kind, secret_hash, user_id, family_id, list(permissions), lifetime, name, prefix),
    )
    return credential_id


def use_refresh(tx: Tx, credential_id: UUID) -> bool:
    """Use a refresh token up; False when somebody was faster."""
    return tx.run("UPDATE credentials SET used_at = now() WHERE id = %s AND used_at IS NULL", (credential_id,)) == 1


def revoke_family(tx: Tx, family_id: UUID) -> None:
    """Every token of this login is dead at once."""
    tx.run("UPDATE credentials SET revoked_at = now() WHERE family_id = %s AND revoked_at IS NULL", (family_id,))


KEY = "id, name, permissions AS scopes, prefix, created_at"


def api_key(tx: Tx, key_id: UUID) -> ApiKey | None:
    """One living key."""
    return tx.maybe(
        f"SELECT {KEY} FROM credentials WHERE id = %s AND kind = 'API_KEY' AND revoked_at IS NULL",
        (key_id,),
        into=ApiKey,
    )


def api_keys(tx: Tx, *, after: UUID | None, limit: int) -> list[ApiKey]:
    """A page of living keys, newest first, one more than `limit`."""
    return tx.all(
        f"""SELECT {KEY} FROM credentials WHERE kind = 'API_KEY' AND revoked_at IS NULL
            AND (%(after)s::uuid IS NULL OR id < %(after)s) ORDER BY id DESC LIMIT %(limit)s""",
        {"after": after, "limit": limit + 1},
        into=ApiKey,
    )


def failures(tx: Tx, *, account: str, address: str, within: timedelta) -> int:
    """How often this account failed to log in from this address lately."""
    found: int = tx.value(
        "SELECT count(*) FROM login_failures WHERE account = %s AND address = %s AND failed_at > now() - %s::interval",
        (account, address, within),
    )
    return found


def fail_one_by_one(tx: Tx, *, account: str, address: str) -> None:
    """Wait for whoever else is counting a failure of this account from this address."""
    tx.run(
        "SELECT pg_advisory_xact_lock(hashtextextended('login of ' || %s::text || ' from ' || %s::text, 3))",
        (account, address),
    )


def note_failure(tx: Tx, *, account: str, address: str) -> None:
    """Remember a failed login, and forget the old ones."""
    tx.run("INSERT INTO login_failures (account, address) VALUES (%s, %s)", (account, address))
    tx.run("DELETE FROM login_failures WHERE failed_at < now() - interval '1 hour'")
