"""Agencies and their people, as tests know them: Northside and Harbour, Ines, Omar, Bo, and the stranger."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from activities.access import create_tenant, hashed
from db import access
from db.ids import new_id
from db.transaction import Database
from domain.access import permissions_of

PASSWORD = "correct horse battery"
NAMES = {"owner": "Nora", "buyer": "Ines", "finance": "Omar", "boxoffice": "Bo"}

_counter = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a login and a living access token."""

    id: UUID
    email: str
    role: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Agency:
    """A tenant of the test's own with one person per role."""

    id: UUID
    name: str
    currency: str
    owner: Person
    buyer: Person
    finance: Person
    boxoffice: Person

    def person(self, role: str) -> Person:
        """Who has this role."""
        found = getattr(self, role)
        assert isinstance(found, Person)
        return found


def an_agency(
    database: Database, *, name: str = "Northside", currency: str = "EUR", timezone: str = "Europe/Berlin"
) -> Agency:
    """A new agency; its name carries a number, because names and addresses are unique over all agencies."""
    unique = f"{name} {new_id().hex[-8:]}-{next(_counter)}"
    tenant_id = create_tenant(database, name=unique, currency=currency, timezone=timezone)
    people = {role: a_person(database, tenant_id=tenant_id, role=role, agency=unique) for role in NAMES}
    return Agency(id=tenant_id, name=unique, currency=currency, **people)


def a_person(database: Database, *, tenant_id: UUID, role: str, agency: str = "Northside") -> Person:
    """A user with PASSWORD and a token; the slow hash is made once for all of them."""
    unique = new_id().hex[-10:]
    email = f"{NAMES[role].lower()}.{unique}@{agency.split(maxsplit=1)[0].lower()}.example"
    with database.transaction(tenant_id, actor=email) as tx:
        user_id = access.add_user(tx, email=email, name=NAMES[role], role=role, password_hash=password_hash())
        assert user_id is not None
        token = f"test_{new_id().hex}"
        access.add_credential(
            tx,
            kind="ACCESS",
            secret_hash=hashed(token),
            user_id=user_id,
            family_id=new_id(),
            permissions=sorted(permissions_of(role)),
            lifetime=timedelta(hours=1),
        )
    return Person(id=user_id, email=email, role=role, token=token)


@cache
def password_hash() -> str:
    """PASSWORD as it is kept."""
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)
