"""Who may do what: things, permissions and roles as one table (contract section 3)."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from domain.states import Fault, Refused

THINGS = (
    "events",
    "inventory",
    "operations",
    "suppliers",
    "orders",
    "receipts",
    "costs",
    "payables",
    "reports",
    "ledger",
    "bookings",
    "payments",
    "tickets",
    "customers",
    "venues",
    "settings",
    "users",
    "api-keys",
)

PERMISSIONS = frozenset(f"{thing}:{verb}" for thing in THINGS for verb in ("read", "write"))

SELF = "self:read"
"""Reading who one is: every living credential may, so nobody is given it and no key asks for it."""


def with_reads(permissions: Iterable[str]) -> frozenset[str]:
    """The permissions and what they include: write includes read."""
    given = frozenset(permissions)
    return given | {permission.replace(":write", ":read") for permission in given}


def _read(*things: str) -> frozenset[str]:
    return frozenset(f"{thing}:read" for thing in things)


def _write(*things: str) -> frozenset[str]:
    return with_reads(f"{thing}:write" for thing in things)


_EVERYBODY = _read("events", "inventory", "operations")

ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "owner": _write(*THINGS),
        "buyer": _EVERYBODY
        | _write("suppliers", "orders", "receipts", "events", "venues", "inventory")
        | _read("costs", "payables", "reports"),
        "finance": _EVERYBODY
        | _write("payables", "ledger")
        | _read("suppliers", "orders", "receipts", "costs", "reports", "bookings", "payments"),
        "boxoffice": _EVERYBODY | _write("customers", "bookings", "payments", "tickets"),
    }
)


def allows(permissions: Iterable[str], *, needed: str) -> bool:
    """Whether these permissions include the one a call needs."""
    return needed == SELF or needed in with_reads(permissions)


def permissions_of(role: str) -> frozenset[str]:
    """Everything a role may do, reads included. KeyError for a role nobody knows."""
    return ROLES[role]


def check_scopes(scopes: Sequence[str]) -> frozenset[str]:
    """The permissions an API key gets: its scopes, each write with its read. Raises Refused `unknown_scope`."""
    faults = tuple(
        Fault(f"/scopes/{index}", "unknown_scope", f"There is no permission {scope[:60]!r}.")
        for index, scope in enumerate(scopes)
        if scope not in PERMISSIONS
    )
    if faults:
        raise Refused("unknown_scope", faults[0].message, errors=faults)
    return with_reads(scopes)
