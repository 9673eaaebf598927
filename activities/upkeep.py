"""Upkeep: what is over is closed, what was not sold is written off, what nobody may rely on any more is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from temporalio import activity

from activities.beating import beating
from db import access, history, idempotency, journal, ledger, reports, upkeep
from db.transaction import Database, DatabaseAway, Tx
from db.upkeep import Event, UnsoldSeat
from domain import ledger as postings
from domain.ledger import Lot
from domain.money import Money
from domain.seating import EventStatus
from domain.states import Refused

log = structlog.get_logger("upkeep")

BATCH = 100
"""Events closed in one step; a step is one activity, each event a transaction of its own."""

LATELY = timedelta(minutes=15)
"""So far back every round looks for stock that came to a closed event. It comes by steps of the worker that runs the rounds,
so an outage stops both; what a round passed over is found by night."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One look at the clock; `nightly` looks at events closed long ago as well."""

    nightly: bool = False


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a round did; `more` when there was more than a step takes, and when the next event will be over."""

    events_closed: int
    seats_written_off: int
    more: bool = False
    next_end_in: timedelta | None = None


def close_event(tx: Tx, event_id: UUID) -> int | None:
    """Close an event that is over and write off what was not sold (posting 17); how many seats.

    None, and nothing was done, while it is not over or a basket of it may still be paid. An event that is closed
    already has only those seats written off that came into stock since. Safe to call twice.
    """
    event = upkeep.take(tx, event_id)
    if not event.over:
        return None
    seats = upkeep.take_unsold(tx, event_id)
    if upkeep.may_still_sell(tx, event_id):
        return None
    if seats:
        _write_off(tx, event, seats)
    if event.closed_at is None:
        upkeep.close(tx, event_id)
        words = f"the event is over; unsold seats written off: {len(seats)}"
        history.note(
            tx,
            object="event",
            subject_id=event_id,
            from_status=event.status,
            to_status=EventStatus.COMPLETED,
            reason=words,
        )
    return len(seats)


def reopen_event(tx: Tx, event_id: UUID, *, reason: str) -> int:
    """Undo the close of an event whose end has moved: every write-off is reversed, the seats are in stock again.

    How many seats. Raises Refused `wrong_state` while the event is over: its seats would be written off again at once.
    """
    event = upkeep.take(tx, event_id)
    if event.over:
        raise Refused("wrong_state", "This event is over; move its end first.", facts={"status": EventStatus.COMPLETED})
    seats = sum(_reverse(tx, event, write_off, reason=reason) for write_off in upkeep.write_offs(tx, event_id))
    if event.closed_at is not None:
        upkeep.reopen(tx, event_id)
        history.note(
            tx,
            object="event",
            subject_id=event_id,
            from_status=EventStatus.COMPLETED,
            to_status=event.status,
            reason=reason,
        )
    return seats


class UpkeepActivities:
    """The steps of a round."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="upkeep.close_ended_events", no_thread_cancel_exception=True)
    @beating
    def close_ended_events(self) -> Swept:
        """Close what is over, an event a transaction; one that cannot be closed is logged and does not stop the others.

        What came into stock of closed ones since, late delivered or given back, is written off with it.
        """
        with self._database.tenantless() as tx:
            found = upkeep.ended(tx, most=BATCH)
        counts = [self._close(event.tenant_id, event.event_id) for event in found]
        again = self._close_all(lambda tx: upkeep.stocked_lately(tx, within=LATELY))
        with self._database.tenantless() as tx:
            left = upkeep.time_to_next_end(tx)
        closed = [count for count in counts if count is not None]
        return Swept(
            events_closed=len(closed) + len(again),
            seats_written_off=sum(closed) + sum(again),
            more=len(found) == BATCH and len(closed) > 0,
            next_end_in=left,
        )

    @activity.defn(name="upkeep.close_again", no_thread_cancel_exception=True)
    @beating
    def close_again(self) -> Swept:
        """Write off what came into stock after its event had been closed, however long ago."""
        closed = self._close_all(upkeep.stocked_after_end)
        return Swept(events_closed=len(closed), seats_written_off=sum(closed))

    @activity.defn(name="upkeep.forget", no_thread_cancel_exception=True)
    @beating
    def forget(self) -> int:
        """Forget idempotency keys that are past their time; how many."""
        return sum(self._forget(tenant_id) for tenant_id in self._agencies())

    def _agencies(self) -> list[UUID]:
        with self._database.tenantless() as tx:
            return access.tenants(tx)

    def _close_all(self, find: Callable[[Tx], list[UUID]]) -> list[int]:
        """Close what is found in each agency; how many seats of each event, where there were any."""
        counts = [
            self._close(tenant_id, event_id)
            for tenant_id in self._agencies()
            for event_id in self._found(tenant_id, find)
        ]
        return [count for count in counts if count]

    def _found(self, tenant_id: UUID, find: Callable[[Tx], list[UUID]]) -> list[UUID]:
        with self._database.transaction(tenant_id) as tx:
            return find(tx)

    def _forget(self, tenant_id: UUID) -> int:
        with self._database.transaction(tenant_id) as tx:
            return idempotency.forget_old(tx)

    def _close(self, tenant_id: UUID, event_id: UUID) -> int | None:
        try:
            with self._database.transaction(tenant_id) as tx:
                return close_event(tx, event_id)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("an event could not be closed", tenant_id=str(tenant_id), event_id=str(event_id))
            return None


def _write_off(tx: Tx, event: Event, seats: list[UnsoldSeat]) -> None:
    times = upkeep.count_write_offs(tx, event.id)
    ledger.post(
        tx,
        postings.written_off(_lots(seats, event)),
        key=f"write-off/{event.id}" + (f"/{times + 1}" if times else ""),
        subject_object="event",
        subject_id=event.id,
        # A seat cannot leave the stock before it came: what was delivered or given back after the end leaves it then.
        occurred_at=max(event.end_at, upkeep.last_stocked_at(tx, event.id) or event.end_at),
        reason="unsold when the event ended",
    )
    upkeep.mark(tx, [seat.event_seat_id for seat in seats], written_off=True)


def _reverse(tx: Tx, event: Event, write_off: upkeep.WriteOff, *, reason: str) -> int:
    seats = upkeep.moved_seats(tx, write_off.entry_id)
    ledger.post(
        tx,
        postings.reversal(journal.posted(tx, write_off.entry_id)),
        key=f"{write_off.key}/reversed",
        subject_object="event",
        subject_id=event.id,
        # A correction happens when it is made.
        occurred_at=reports.database_now(tx),
        reason=reason,
        reverses_id=write_off.entry_id,
    )
    upkeep.mark(tx, seats, written_off=False)
    return len(seats)


def _lots(seats: list[UnsoldSeat], event: Event) -> list[Lot]:
    """The seats that are alike together."""
    alike: dict[tuple[UUID, str, Decimal], list[UUID]] = {}
    for seat in seats:
        alike.setdefault((seat.supplier_id, seat.section, seat.cost), []).append(seat.event_seat_id)
    return [
        Lot(tuple(seat_ids), event.id, supplier_id, section, Money(cost, event.currency))
        for (supplier_id, section, cost), seat_ids in alike.items()
    ]
