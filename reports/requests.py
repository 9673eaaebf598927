"""Which reports can be asked for, and what one asking says: the name, the grouping, the scope; as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Tx
from reports import profit, revenue, trial_balance, valuation
from reports.tables import Report
from reports.words import instant

Name = Literal["profit", "revenue", "value", "trial-balance"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One asking for a report; the same asking always has the same answer."""

    name: Name
    scope: Scope
    group_by: GroupBy = "event"

    def parameters(self) -> dict[str, str | None]:
        """As JSON keeps it."""
        scope = self.scope
        return {
            "name": self.name,
            "group_by": self.group_by,
            "as_of": instant(scope.as_of),
            "known_at": instant(scope.known_at),
            "from": scope.from_date.isoformat() if scope.from_date else None,
            "to": scope.to_date.isoformat() if scope.to_date else None,
            "event_id": str(scope.event_id) if scope.event_id else None,
        }

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Request:
        """From what `parameters` gave. KeyError or ValueError for anything else."""
        scope = Scope(
            as_of=datetime.fromisoformat(parameters["as_of"]),
            known_at=datetime.fromisoformat(parameters["known_at"]),
            from_date=date.fromisoformat(parameters["from"]) if parameters["from"] else None,
            to_date=date.fromisoformat(parameters["to"]) if parameters["to"] else None,
            event_id=UUID(parameters["event_id"]) if parameters["event_id"] else None,
        )
        return cls(name=cast(Name, parameters["name"]), group_by=cast(GroupBy, parameters["group_by"]), scope=scope)


def read(tx: Tx, request: Request) -> Report:
    """The report that was asked for. KeyError for a name that is none."""
    readers = {"profit": profit.read, "revenue": revenue.read, "value": valuation.read}
    if request.name == "trial-balance":
        return trial_balance.read(tx, request.scope)
    return readers[request.name](tx, request.scope, group_by=request.group_by)
