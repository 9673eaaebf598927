"""Carrying out an operation: its row locked, its work and its end in one transaction, a refusal kept as its error."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from db import operations
from db.operations import Operation
from db.transaction import Database, Tx
from domain.states import Refused

Result = Mapping[str, Any]


def refusal(refused: Refused) -> dict[str, Any]:
    """A refusal as an operation keeps it."""
    return {
        "code": refused.code,
        "detail": refused.words,
        "errors": [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in refused.errors],
        "facts": plain(refused.facts),
    }


def plain(value: Any) -> Any:
    """Ids, amounts and moments as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def carry_out(
    database: Database, *, tenant_id: UUID, operation_id: UUID, work: Callable[[Tx, Operation], Result]
) -> Operation:
    """Do an operation's work once and end it: succeeded with the result, or failed with the refusal.

    An operation that has ended already is returned as it is, so a second run changes nothing.
    """
    with database.transaction(tenant_id) as tx:
        operation = operations.take(tx, operation_id)
        if operation.ended:
            return operation
        tx.actor = operation.requested_by
        try:
            with tx.savepoint():
                result = work(tx, operation)
            operations.succeed(tx, operation_id, result=plain(result))
        except Refused as refused:
            operations.fail(tx, operation_id, error=refusal(refused))
        return operations.take(tx, operation_id)
