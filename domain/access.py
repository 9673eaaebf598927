"""Roles and permissions: one table that says who may do what (contract section 3)."""

from collections.abc import Iterable

THINGS = (
    "api-keys",
    "bookings",
    "costs",
    "customers",
    "events",
    "inventory",
    "ledger",
    "operations",
    "orders",
    "payables",
    "payments",
    "receipts",
    "reports",
    "settings",
    "suppliers",
    "tickets",
    "users",
    "venues",
)

PERMISSIONS = frozenset(f"{thing}:{verb}" for thing in THINGS for verb in ("read", "write"))
"""Everything a role or a key can be given."""

SELF = "self:read"
"""Reading who one is: every living credential may, so it is neither given nor asked for."""

_EVERYBODY = "events:read inventory:read operations:read"

_GIVEN = {
    "owner": " ".join(sorted(PERMISSIONS)),
    "buyer": (
        "suppliers:write orders:write receipts:write costs:read payables:read reports:read"
        " events:write venues:write inventory:write"
    ),
    "finance": (
        "payables:write ledger:write suppliers:read orders:read receipts:read costs:read reports:read"
        " bookings:read payments:read"
    ),
    "boxoffice": "customers:write bookings:write payments:write tickets:write",
}

ROLES = tuple(_GIVEN)


def with_reads(permissions: Iterable[str]) -> frozenset[str]:
    """The permissions and what they include: write includes read."""
    given = frozenset(permissions)
    return given | {f"{one.removesuffix(':write')}:read" for one in given if one.endswith(":write")}


def permissions_of(role: str) -> frozenset[str]:
    """All that a role may do; KeyError for a role nobody knows."""
    return with_reads(f"{_EVERYBODY} {_GIVEN[role]}".split())


def allows(permissions: Iterable[str], *, needed: str) -> bool:
    """Whether these permissions include the one that a call needs."""
    return needed == SELF or needed in with_reads(permissions)
