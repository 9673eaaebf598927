"""The four points of a step, found from outside the product: an interceptor, a database and a provider that pass word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from temporalio import activity, workflow
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from typing_extensions import override

from db.transaction import Database, Tx
from domain.money import Money
from gateways.payments import BookLine, PaymentProvider, ProviderAnswer
from prove.kills.signals import Signals


class Watcher(Protocol):
    """Who is told where a process is."""

    def is_armed(self, place: str) -> bool:
        """Whether somebody waits there."""
        ...

    def arrive(self, place: str, *, process_id: str) -> None:
        """Be there, and wait to be let go."""
        ...


class Striking(ClientInterceptor, Interceptor):
    """On the client, from which the workers take it."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Watch every step's body."""
        return _Body(next, self._signals)

    @override
    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Watch every step's answer come to its process."""
        signals = self._signals

        class Watched(_Process):
            watcher = signals

        return Watched


class _Body(ActivityInboundInterceptor):
    """Before a step, and after it; a step that wrote nothing has its effect when it ends."""

    def __init__(self, following: ActivityInboundInterceptor, watcher: Watcher) -> None:
        super().__init__(following)
        self._watcher = watcher

    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """The step between its points."""
        await self._at("before")
        result = await super().execute_activity(input)
        await self._at("effect")
        await self._at("commit")
        return result

    async def _at(self, point: str) -> None:
        info = activity.info()
        place = f"{info.workflow_type}/{info.activity_type}/{point}"
        if self._watcher.is_armed(place):
            await asyncio.to_thread(self._watcher.arrive, place, process_id=info.workflow_id or "")


def arrive_here(watcher: Watcher, point: str) -> None:
    """In the thread of a step: its process is at this point."""
    if activity.in_activity():
        info = activity.info()
        place = f"{info.workflow_type}/{info.activity_type}/{point}"
        watcher.arrive(place, process_id=info.workflow_id or "")


class StrikingDatabase(Database):
    """A database whose steps are seen when they have changed something and not yet committed it."""

    def __init__(self, url: str, *, size: int, name: str, watcher: Watcher) -> None:
        super().__init__(url, size=size, name=name)
        self._watcher = watcher

    @override
    def _commit(self, tx: Tx) -> None:
        if tx.keep and activity.in_activity() and self._is_awaited() and _has_changed_something(tx):
            arrive_here(self._watcher, "effect")
        super()._commit(tx)

    def _is_awaited(self) -> bool:
        info = activity.info()
        return self._watcher.is_armed(f"{info.workflow_type}/{info.activity_type}/effect")


def _has_changed_something(tx: Tx) -> bool:
    return tx.value("SELECT pg_current_xact_id_if_assigned()") is not None


class StrikingPayments:
    """A provider whose caller is seen when it has answered: the effect of a step that calls it."""

    def __init__(self, provider: PaymentProvider, watcher: Watcher) -> None:
        self._provider = provider
        self._watcher = watcher

    def authorise(self, *, key: str, amount: Money, token: str, description: str) -> ProviderAnswer:
        """As the provider does."""
        return self._seen(self._provider.authorise(key=key, amount=amount, token=token, description=description))

    def capture(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """As the provider does."""
        return self._seen(self._provider.capture(key=key, authorisation=authorisation, amount=amount))

    def void(self, *, key: str, authorisation: str) -> ProviderAnswer:
        """As the provider does."""
        return self._seen(self._provider.void(key=key, authorisation=authorisation))

    def refund(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """As the provider does."""
        return self._seen(self._provider.refund(key=key, authorisation=authorisation, amount=amount))

    def look_up(self, *, key: str) -> ProviderAnswer:
        """As the provider does."""
        return self._seen(self._provider.look_up(key=key))

    def book(self, *, description: str | None = None) -> list[BookLine]:
        """As the provider does."""
        return self._provider.book(description=description)

    def _seen(self, answer: ProviderAnswer) -> ProviderAnswer:
        arrive_here(self._watcher, "effect")
        return answer


class _Process(WorkflowInboundInterceptor):
    """A process whose steps' answers are seen when they come, before the process has done anything with them."""

    watcher: Watcher

    @override
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Stand between the process and its steps."""
        super().init(_Answers(outbound, self.watcher))


class _Answers(WorkflowOutboundInterceptor):
    def __init__(self, following: WorkflowOutboundInterceptor, watcher: Watcher) -> None:
        super().__init__(following)
        self._watcher = watcher

    @override
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        """Watch for the answer."""
        return self._watched(super().start_activity(input), input.activity)

    @override
    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        """Watch for the answer."""
        return self._watched(super().start_local_activity(input), input.activity)

    def _watched(self, handle: workflow.ActivityHandle[Any], name: str) -> workflow.ActivityHandle[Any]:
        task = cast("asyncio.Task[Any]", handle)
        task.add_done_callback(self._teller(name))
        return handle

    def _teller(self, name: str) -> Callable[[asyncio.Task[Any]], None]:
        info = workflow.info()
        place, process_id = f"{info.workflow_type}/{name}/next", info.workflow_id

        def tell(task: asyncio.Task[Any]) -> None:
            if task.cancelled() or task.exception() is not None or workflow.unsafe.is_replaying():
                return
            # The process stands still meanwhile, as it would if its worker did.
            with workflow.unsafe.sandbox_unrestricted():
                self._watcher.arrive(place, process_id=process_id)

        return tell
