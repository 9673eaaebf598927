"""Roles and permissions, to the letter of the contract's section 3."""

import pytest

from domain.access import PERMISSIONS, ROLES, check_scopes, permissions_of, with_reads
from domain.states import Refused

EVERYBODY = "events:read inventory:read operations:read"
EXPECTED = {
    "buyer": "suppliers:write orders:write receipts:write costs:read payables:read reports:read events:write venues:write inventory:write",
    "finance": "payables:write ledger:write suppliers:read orders:read receipts:read costs:read reports:read bookings:read payments:read",
    "boxoffice": "customers:write bookings:write payments:write tickets:write",
}


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_may_do_what_the_contract_says(role: str) -> None:
    assert permissions_of(role) == with_reads(f"{EVERYBODY} {EXPECTED[role]}".split())


def test_the_owner_may_do_everything() -> None:
    assert permissions_of("owner") == PERMISSIONS
    assert len(PERMISSIONS) == 36


def test_nobody_knows_other_roles() -> None:
    assert list(ROLES) == ["owner", "buyer", "finance", "boxoffice"]
    with pytest.raises(KeyError):
        permissions_of("visitor")


def test_writing_includes_reading_and_not_the_reverse() -> None:
    assert with_reads(["api-keys:write", "events:read"]) == {"api-keys:write", "api-keys:read", "events:read"}


def test_scopes_are_permissions() -> None:
    assert check_scopes(["orders:write"]) == {"orders:write", "orders:read"}


def test_unknown_scopes_are_named() -> None:
    with pytest.raises(Refused) as caught:
        check_scopes(["orders:write", "orders:delete", "", "*"])

    assert caught.value.code == "unknown_scope"
    assert [fault.pointer for fault in caught.value.errors] == ["/scopes/1", "/scopes/2", "/scopes/3"]
