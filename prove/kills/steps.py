"""Which process takes which step: found in the processes' own code, and in the histories they have left."""

from __future__ import annotations

import ast
import base64
import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from temporalio import activity, workflow
from typing_extensions import override

from activities import registry
from activities.registry import Tools
from db.transaction import Database
from gateways.payments import SimulatedPayments
from settings import ROOT
from workflows.registry import PROCESSES

HISTORIES = ROOT / "tests" / "replays" / "histories"
# The step inside a workflow task leaves a marker of this name.
LOCAL = "core_local_activity"


@dataclass(frozen=True, order=True)
class Step:
    """An activity, as one process takes it: the names by which the engine knows both."""

    process: str
    activity: str

    @override
    def __str__(self) -> str:
        return f"{self.process}/{self.activity}"


def steps() -> tuple[Step, ...]:
    """Every pair, in the order of its name."""
    return tuple(sorted({*_written(), *_left()}))


def registered() -> set[str]:
    """The activities that the workers offer, on whatever queue."""
    tools = Tools(database=Database(""), payments=SimulatedPayments("http://127.0.0.1"), documents_dir=Path())
    offered = [*registry.core(tools), *registry.documents(tools), *registry.bulk(tools)]
    return {name for step in offered if (name := _activity_name(step)) is not None}


def process_name(process: type) -> str:
    """The name under which the engine knows a process."""
    name = workflow._Definition.must_from_class(process).name  # noqa: SLF001 -- the SDK has no public way to ask
    assert name is not None, "our processes are named"
    return name


def _activity_name(step: Any) -> str | None:
    found = activity._Definition.from_callable(step)  # noqa: SLF001 -- as above
    return found.name if found else None


def _written() -> Iterator[Step]:
    """What the code names: `Class.method` of a street, in the process's file or in a function that it shares."""
    for process in PROCESSES:
        for module in _files(sys.modules[process.__module__]):
            for name in _named(module):
                yield Step(process_name(process), name)


def _files(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for found in vars(module).values():
        shared = isinstance(found, FunctionType) and found.__module__.startswith("workflows.")
        if shared and found.__module__ != module.__name__:
            yield from _files(sys.modules[found.__module__])


def _named(module: ModuleType) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            street = vars(module).get(node.value.id)
            name = _activity_name(getattr(street, node.attr, None)) if isinstance(street, type) else None
            if name is not None:
                yield name


def _left() -> Iterator[Step]:
    """What recorded processes did."""
    for file in HISTORIES.glob("*/*.json"):
        for event in json.loads(file.read_text())["events"]:
            scheduled = event.get("activityTaskScheduledEventAttributes")
            marker = event.get("markerRecordedEventAttributes", {})
            if scheduled:
                yield Step(file.parent.name, scheduled["activityType"]["name"])
            elif marker.get("markerName") == LOCAL:
                data = marker["details"]["data"]["payloads"][0]["data"]
                yield Step(file.parent.name, json.loads(base64.b64decode(data))["activity_type"])
