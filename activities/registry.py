"""Which activities a worker offers on which queue, wired to the database and the gateways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.booking import BookingActivities
from activities.cancelling import CancellingActivities
from activities.documents import DocumentActivities
from activities.payables import Payables
from activities.payments import PaymentActivities
from activities.purchasing import Purchasing
from activities.receiving import Receiving
from activities.refunds import RefundActivities
from activities.upkeep import UpkeepActivities
from db.transaction import Database
from gateways.payments import PaymentProvider
from gateways.storage import FolderStorage

Steps = Sequence[Callable[..., Any]]


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What activities work with."""

    database: Database
    payments: PaymentProvider
    documents_dir: Path


def core(tools: Tools) -> Steps:
    """Short transactions and provider calls."""
    return [
        *_steps(Purchasing(tools.database)),
        *_steps(Receiving(tools.database)),
        *_steps(Payables(tools.database)),
        *_steps(BookingActivities(tools.database)),
        *_steps(PaymentActivities(tools.database, tools.payments)),
        *_steps(RefundActivities(tools.database, tools.payments)),
        *_steps(CancellingActivities(tools.database)),
        *_steps(UpkeepActivities(tools.database)),
    ]


def documents(tools: Tools) -> Steps:
    """WeasyPrint and pandas: a process of their own, one or two at a time."""
    return _steps(DocumentActivities(tools.database, FolderStorage(tools.documents_dir)))


def bulk(tools: Tools) -> Steps:
    """The same steps for mass work, in a lane of its own so that it never stands before a customer."""
    return core(tools)


def _steps(street: object) -> Steps:
    """Every method that is an activity."""
    methods = (getattr(street, name) for name in dir(street) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
