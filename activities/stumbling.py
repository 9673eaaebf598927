"""Steps that fail by a fault of ours: told in the log, to the metrics and at the operation, until a repaired release heals them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor
from typing_extensions import override

from db import operations
from db.transaction import Database, DatabaseAway, Tx
from domain.states import Refused
from gateways.payments import ProviderUnavailable

log = structlog.get_logger("steps")

SHOWN_AFTER = 3
"""Failures in a row before an operation speaks of them: a race that is lost once or twice is nobody's business."""

METRIC = "allotment_step_faults"
UNDECIDED = "Undecided"
_OUTAGES = (DatabaseAway, psycopg.OperationalError, OSError, ProviderUnavailable)


def is_fault(error: BaseException) -> bool:
    """Whether neither the rules, nor an outage, nor a provider that has not decided explains it: somebody must repair it."""
    if isinstance(error, ApplicationError):
        return error.type != UNDECIDED
    return isinstance(error, Exception) and not isinstance(error, (Refused, *_OUTAGES))


class Stumbles(Interceptor):
    """Watches every step of a worker. What a step raises goes on to Temporal as it is, which tries it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Watch(next, self._database)


class _Watch(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, database: Database) -> None:
        super().__init__(following)
        self._database = database

    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        step, info = input.args[0] if input.args else None, activity.info()
        try:
            result = await super().execute_activity(input)
        except Exception as error:
            if is_fault(error):
                activity.metric_meter().create_counter(METRIC, "Steps that failed by a fault of ours").add(1)
                await self._apart(input, partial(self._tell, step, info, error))
            raise
        if info.attempt > SHOWN_AFTER:
            await self._apart(input, partial(self._clear, step))
        return result

    async def _apart(self, given: ExecuteActivityInput, act: Callable[[], None]) -> None:
        """In a thread of the steps; telling of a fault must never become one."""
        try:
            await asyncio.get_running_loop().run_in_executor(given.executor, act)
        except Exception:
            log.exception("what an operation says of a fault could not be changed")

    def _tell(self, step: object, info: activity.Info, error: Exception) -> None:
        told = log.bind(
            step=info.activity_type,
            attempt=info.attempt,
            workflow_id=info.workflow_id,
            ids={name: str(value) for name, value in _ids(step).items()},
            exc_info=error,
        )
        if info.attempt < SHOWN_AFTER:
            told.warning("a step failed by a fault of ours and is tried again")
            return
        told.error("a step fails by a fault of ours, again and again")
        with self._of(step) as tx:
            if tx is not None:
                since = info.scheduled_time.astimezone(UTC)
                operations.note_trouble(
                    tx, _concerned(step), step=info.activity_type, failures=info.attempt, since=since
                )

    def _clear(self, step: object) -> None:
        with self._of(step) as tx:
            if tx is not None:
                operations.clear_trouble(tx, _concerned(step))

    @contextmanager
    def _of(self, step: object) -> Iterator[Tx | None]:
        """A transaction of the agency that the step is about; None when it is about none, or about no single thing."""
        tenant_id = _ids(step).get(TENANT)
        if tenant_id is None or not _concerned(step):
            yield None
            return
        with self._database.transaction(tenant_id) as tx:
            yield tx


TENANT = "tenant_id"


def _ids(step: object) -> dict[str, UUID]:
    """Every id in a step's argument, by its name."""
    if not is_dataclass(step):
        return {}
    named = ((field.name, getattr(step, field.name)) for field in fields(step))
    return {name: value for name, value in named if isinstance(value, UUID)}


def _concerned(step: object) -> list[UUID]:
    """What may be an operation's id: a payment and a cancellation bear their operation's."""
    return [value for name, value in _ids(step).items() if name != TENANT]
