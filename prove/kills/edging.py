"""An edge's visit: people act while one way between two parts is stopped, cut or silent; it is mended, and all must end."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from prove.kills import recovery
from prove.kills.cells import Edge
from prove.kills.desk import Missed
from prove.kills.house import House
from prove.kills.proxies import Ways
from prove.kills.scenes import SCENES, Act, Ending, told

LASTS = {"pause": 20.0, "cut": 10.0, "deaf": 10.0, "mute": 10.0}
"""Seconds for which an edge fails."""
PLAYED = (
    "Booking/payments.capture",
    "Cancellation/refunds.send",
    "PurchaseOrder/purchasing.submit",
    "SupplierReceipt/receiving.record",
    "Document/documents.render",
)
"""What is begun while the edge fails."""


@dataclass(kw_only=True)
class EdgeOutcome:
    """What became of an edge; `seconds` from its mending to the end of the first new process."""

    edge: Edge
    fault: str | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything came out as it must."""
        return self.fault is None

    @property
    def line(self) -> str:
        """For the console."""
        end = f"{self.seconds:.1f} s" if self.passed else self.fault
        return f"{'ok   ' if self.passed else 'FAIL '} {self.edge.name}  {end}"


def visit_edge(house: House, ways: Ways, edge: Edge) -> EdgeOutcome:
    """Let it fail for its time while people act, mend it, and wait for everything that was begun."""
    outcome = EdgeOutcome(edge=edge)
    with ThreadPoolExecutor(len(PLAYED)) as pool:
        played = list(zip(PLAYED, house.desks, strict=False))
        acts: list[Act] = list(pool.map(lambda one: SCENES[one[0]].prepare(one[1]), played))
        proxy = ways.strike(edge)
        try:
            begun = [pool.submit(act) for act in acts]
            time.sleep(LASTS[edge.fault])
        finally:
            proxy.mend()
        mended_at = time.monotonic()
        recovery.first_process(house.desks[-1], house.box.spare)
        outcome.seconds = time.monotonic() - mended_at
        house.heal()
        endings = list(pool.map(_end, begun))
    outcome.fault = "; ".join(filter(None, endings)) or None
    return outcome


def _end(begun: Future[Ending]) -> str | None:
    """As `told`; nobody comes a second time, so what did not come off is a fault."""
    try:
        return told(begun)
    except Missed as missed:
        return f"Missed: {missed}"
