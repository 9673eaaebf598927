"""Selling step by step, as its process would take the steps, and the books that are left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Error as DatabaseError

from activities import booking as selling
from activities import cancelling
from activities.booking import BookingActivities, BookingStep, Position, ReleaseStep, Settled, SettleStep
from activities.cancelling import CancellationStep, CancellingActivities, Executed
from activities.payments import CaptureStep, PaymentActivities, PaymentStep
from activities.refunds import NextAttempt, RefundActivities, RefundStep, RefundWord
from activities.words import Word
from db import booking as bookings
from db import inventory, operations, payments, refunds
from db.booking import Booking, Ticket
from db.operations import Operation
from db.payments import Payment
from db.refunds import Refund
from db.transaction import Database, Tx
from domain.states import Refused
from gateways.payments import PaymentProvider, ProviderState, SimulatedPayments
from tests.makers.access import Agency
from tests.makers.trade import Stock, a_basket, a_stock

T = TypeVar("T")

GRACE = timedelta(minutes=2)
ROUNDS = 20
# Steps that only write get this one: whoever called it would find nobody.
NOBODY: PaymentProvider = SimulatedPayments("http://127.0.0.1:9", timeout=0.1)


def authorised(reference: str = "ch_1") -> Word:
    """The money is promised."""
    return Word(state=ProviderState.AUTHORISED, reference=reference, occurred_at=datetime.now(UTC))


def captured(reference: str = "ch_1", *, at: datetime | None = None) -> Word:
    """The money is taken."""
    return Word(state=ProviderState.CAPTURED, reference=reference, occurred_at=at or datetime.now(UTC))


def declined(reason: str = "card_declined") -> Word:
    """The card was turned down."""
    return Word(state=ProviderState.DECLINED, reason=reason, occurred_at=datetime.now(UTC))


def refused(reason: str) -> Word:
    """A capture, void or refund will not be done."""
    return Word(state=ProviderState.REFUSED, reason=reason, occurred_at=datetime.now(UTC))


def refunded(reference: str = "ch_1") -> Word:
    """The money has gone back."""
    return Word(state=ProviderState.REFUNDED, reference=reference, occurred_at=datetime.now(UTC))


@dataclass(frozen=True)
class Shop:
    """An agency with one event on sale and its seats in the books."""

    database: Database
    stock: Stock

    @property
    def tenant_id(self) -> UUID:
        """Whose shop it is."""
        return self.stock.tenant_id

    def seats(self, *places: int) -> list[UUID]:
        """The seats with these places in human order, from 1."""
        return [self.stock.seats[place - 1] for place in places]

    def price(self, place: int, amount: str) -> None:
        """Another price for one seat."""
        with self.tx() as tx:
            inventory.reprice(tx, self.seats(place), retail_price=Decimal(amount))

    def tx(self) -> Any:
        """A transaction of the box office."""
        return self.database.transaction(self.tenant_id, actor="box office")

    def basket(self, *places: int, window: timedelta = timedelta(minutes=15)) -> UUID:
        """These seats reserved; the booking's id."""
        return a_basket(self.database, self.stock, self.seats(*places), window=window)

    def pay(self, booking_id: UUID, *, token: str = "tok_ok", grace: timedelta = GRACE) -> UUID:
        """A payment on its way; its id."""
        with self.tx() as tx:
            return selling.begin_payment(
                tx, booking_id, method="CREDIT_CARD", provider="simulated", token=token, grace=grace
            )

    def settle(self, payment_id: UUID, word: Word) -> Settled:
        """What the provider said about the promise, carried out."""
        step = SettleStep(tenant_id=self.tenant_id, payment_id=payment_id, word=word)
        return BookingActivities(self.database).settle(step)

    def capture(self, payment_id: UUID, word: Word) -> bool:
        """What the provider said about taking the money, recorded."""
        step = CaptureStep(tenant_id=self.tenant_id, payment_id=payment_id, word=word)
        return PaymentActivities(self.database, NOBODY).record_capture(step)

    def void(self, payment_id: UUID) -> None:
        """The provider has spoken on letting the promise go."""
        step = PaymentStep(tenant_id=self.tenant_id, payment_id=payment_id)
        PaymentActivities(self.database, NOBODY).record_void(step)

    def sold(self, *places: int) -> UUID:
        """These seats sold and the money taken; the booking's id."""
        booking_id = self.basket(*places)
        payment_id = self.pay(booking_id)
        reference = f"ch_{payment_id.hex}"
        assert self.settle(payment_id, authorised(reference)).then == "capture"
        assert self.capture(payment_id, captured(reference))
        return booking_id

    def expire(self, booking_id: UUID) -> Position:
        """The process looks at the clock."""
        step = BookingStep(tenant_id=self.tenant_id, booking_id=booking_id)
        return BookingActivities(self.database).expire(step)

    def ask_release(self, booking_id: UUID, *, reason: str = "CUSTOMER_REQUEST") -> UUID:
        """Somebody asks for an unpaid booking to be let go; the operation's id."""
        with self.tx() as tx:
            return selling.begin_release(tx, bookings.take(tx, booking_id), reason=reason)

    def release(self, booking_id: UUID, operation_id: UUID) -> Position:
        """The process lets it go."""
        step = ReleaseStep(tenant_id=self.tenant_id, booking_id=booking_id, operation_id=operation_id)
        return BookingActivities(self.database).release(step)

    def ask_cancel(
        self, booking_id: UUID, ticket_ids: Sequence[UUID] | None = None, *, quote_id: UUID | None = None
    ) -> UUID:
        """Somebody asks for tickets (or all of them) to be given up; the operation's id."""
        with self.tx() as tx:
            booking = bookings.take(tx, booking_id)
            return cancelling.begin(tx, booking, ticket_ids=ticket_ids, reason="CUSTOMER_REQUEST", quote_id=quote_id)

    def cancel(self, operation_id: UUID) -> Executed:
        """The process gives them up."""
        step = CancellationStep(tenant_id=self.tenant_id, cancellation_id=operation_id)
        return CancellingActivities(self.database).execute(step)

    def cancelled(self, booking_id: UUID, ticket_ids: Sequence[UUID] | None = None) -> Executed:
        """Tickets (or all of them) given up; the money is still on its way."""
        return self.cancel(self.ask_cancel(booking_id, ticket_ids))

    def submit(self, refund_id: UUID) -> None:
        """The attempt is about to be sent."""
        RefundActivities(self.database, NOBODY).submit(RefundStep(tenant_id=self.tenant_id, refund_id=refund_id))

    def refund(self, refund_id: UUID, word: Word) -> NextAttempt:
        """An attempt submitted, and what the provider said about it recorded."""
        self.submit(refund_id)
        step = RefundWord(tenant_id=self.tenant_id, refund_id=refund_id, word=word)
        return RefundActivities(self.database, NOBODY).record(step)

    def lapse(self, *booking_ids: UUID, grace_too: bool = True) -> None:
        """Put the end of reservations (or, without `grace_too`, only what is not the payment grace) into the past."""
        with self.tx() as tx:
            for booking_id in booking_ids:
                past = tx.value(
                    """UPDATE bookings SET held_until = CASE WHEN %s THEN now() - interval '1 second' ELSE held_until END,
                           reserved_until = now() - interval '1 second' WHERE id = %s RETURNING held_until""",
                    (grace_too, booking_id),
                )
                tx.run(
                    """UPDATE event_seats SET held_until = %s WHERE status = 'RESERVED' AND id IN
                           (SELECT event_seat_id FROM tickets WHERE booking_id = %s AND status = 'RESERVED')""",
                    (past, booking_id),
                )

    def booking(self, booking_id: UUID) -> Booking:
        """The booking as it is now."""
        with self.tx() as tx:
            found = bookings.find(tx, booking_id)
            assert found is not None
            return found

    def status(self, booking_id: UUID) -> tuple[str, str | None, str]:
        """Status, why it ended, and the payment axis."""
        found = self.booking(booking_id)
        return found.status, found.cancellation_reason, found.payment_status

    def tickets(self, booking_id: UUID) -> list[Ticket]:
        """Every ticket it ever had, in human order."""
        with self.tx() as tx:
            return bookings.tickets(tx, booking_id)

    def ticket_states(self, booking_id: UUID) -> list[str]:
        """What became of them."""
        return [ticket.status for ticket in self.tickets(booking_id)]

    def seat_states(self, *places: int) -> list[str]:
        """What the seats are doing."""
        with self.tx() as tx:
            return [
                tx.value("SELECT status FROM event_seats WHERE id = %s", (seat_id,)) for seat_id in self.seats(*places)
            ]

    def held_until(self, place: int) -> datetime | None:
        """From when on the seat is free to others."""
        with self.tx() as tx:
            moment: datetime | None = tx.value("SELECT held_until FROM event_seats WHERE id = %s", self.seats(place))
            return moment

    def payment(self, payment_id: UUID) -> Payment:
        """The payment as it is now."""
        with self.tx() as tx:
            found = payments.find(tx, payment_id)
            assert found is not None
            return found

    def refunds(self, booking_id: UUID) -> list[Refund]:
        """Every attempt, oldest first."""
        with self.tx() as tx:
            return refunds.of_booking(tx, booking_id)

    def operation(self, operation_id: UUID) -> Operation:
        """The operation as it is now."""
        with self.tx() as tx:
            found = operations.find(tx, operation_id)
            assert found is not None
            return found

    def outcome(self, operation_id: UUID) -> tuple[str, str | None]:
        """How an operation stands, and the code of its refusal."""
        found = self.operation(operation_id)
        return found.status, found.error["code"] if found.error else None

    def letters(self) -> list[str]:
        """The letters to customers that were queued, oldest first."""
        with self.tx() as tx:
            letters: list[str] = tx.values(
                """SELECT payload ->> 'letter' FROM outbox WHERE kind = 'MAIL' AND NOT payload ->> 'letter' ~ '^(order|receipt)_'
                   ORDER BY id"""
            )
            return letters

    def postings(self, booking_id: UUID) -> list[str]:
        """The kinds of the booking's journal entries, in order."""
        with self.tx() as tx:
            kinds: list[str] = tx.values(
                "SELECT kind FROM journal_entries WHERE subject_id = %s ORDER BY entry_number", (booking_id,)
            )
            return kinds

    def balances(self) -> dict[str, Decimal]:
        """What stands on each account, debit positive; accounts at zero are left out."""
        with self.tx() as tx:
            rows = tx.dicts("SELECT account, sum(amount) AS amount FROM journal_legs GROUP BY account")
        return {row["account"]: row["amount"] for row in rows if row["amount"]}

    def faults(self) -> list[str]:
        """Everything in this agency's rows that contradicts something else."""
        with self.tx() as tx:
            return list(_faults(tx))


def a_shop(database: Database, agency: Agency, **more: Any) -> Shop:
    """Ten seats in a row at 35.00, bought for 20.00 each."""
    return Shop(database, a_stock(database, agency, **more))


def at_once(count: int, act: Callable[[int], T]) -> list[T | Exception]:
    """The same thing from many threads in the same moment; what each got, or how it was refused."""
    barrier = threading.Barrier(count)

    def one(number: int) -> T | Exception:
        barrier.wait(timeout=30)
        try:
            return act(number)
        except (Refused, DatabaseError, AssertionError) as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def codes(outcomes: Iterable[object]) -> list[str]:
    """The codes of those that were refused, sorted; anything unexpected by its own name."""
    return sorted(
        outcome.code if isinstance(outcome, Refused) else type(outcome).__name__
        for outcome in outcomes
        if isinstance(outcome, Exception)
    )


# Each query returns what contradicts; an empty answer is the only good one (reliability-security section 2).
CONTRADICTIONS = {
    "a seat with two live tickets": """
        SELECT event_seat_id FROM tickets WHERE status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED') GROUP BY event_seat_id HAVING count(*) > 1""",
    "a seat whose status its tickets deny": """
        SELECT s.id, s.status, t.status FROM event_seats s
        LEFT JOIN tickets t ON t.tenant_id = s.tenant_id AND t.event_seat_id = s.id AND t.status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED')
        WHERE s.status <> CASE t.status WHEN 'RESERVED' THEN 'RESERVED' WHEN 'CONFIRMED' THEN 'SOLD' ELSE 'AVAILABLE' END""",
    "a seat held for another time than its booking": """
        SELECT s.id, s.held_until, b.held_until FROM event_seats s
        JOIN tickets t ON t.tenant_id = s.tenant_id AND t.event_seat_id = s.id AND t.status = 'RESERVED'
        JOIN bookings b ON b.tenant_id = t.tenant_id AND b.id = t.booking_id
        WHERE s.held_until IS DISTINCT FROM b.held_until""",
    "a booking whose tickets are in another state": """
        SELECT b.booking_number, b.status, count(*) FILTER (WHERE t.status = 'CONFIRMED') FROM bookings b
        JOIN tickets t ON t.tenant_id = b.tenant_id AND t.booking_id = b.id GROUP BY b.tenant_id, b.id
        HAVING CASE b.status WHEN 'CONFIRMED' THEN count(*) FILTER (WHERE t.status = 'CONFIRMED') <> b.ticket_count
                             WHEN 'RESERVED' THEN bool_or(t.status NOT IN ('RESERVED', 'CANCELLED'))
                             ELSE bool_or(t.status IN ('RESERVED', 'CONFIRMED', 'TRANSFERRED', 'USED')) END""",
    "a confirmed booking that is not the sum of its tickets": """
        SELECT b.booking_number FROM bookings b
        JOIN tickets t ON t.tenant_id = b.tenant_id AND t.booking_id = b.id AND t.status = 'CONFIRMED'
        WHERE b.status = 'CONFIRMED' GROUP BY b.tenant_id, b.id
        HAVING sum(t.price) <> b.subtotal OR sum(t.discount) <> b.discount_amount OR sum(t.tax) <> b.tax_amount""",
    "a booking that does not add up": """
        SELECT booking_number FROM bookings
        WHERE total_amount <> subtotal - discount_amount + service_fee + tax_amount + cancellation_charge""",
    "money kept that no ticket or fee explains": """
        SELECT b.booking_number, b.status, b.paid, b.refunded FROM bookings b
        LEFT JOIN (SELECT tenant_id, booking_id, sum(amount) AS amount FROM refunds
                   WHERE status IN ('REQUESTED', 'SUBMITTED', 'ESCALATED') GROUP BY tenant_id, booking_id) r
            ON r.tenant_id = b.tenant_id AND r.booking_id = b.id
        WHERE b.paid - b.refunded - coalesce(r.amount, 0) <>
              CASE WHEN b.paid = 0 OR b.cancellation_reason = 'EXPIRED' THEN 0 ELSE b.total_amount END""",
    "a payment and its booking that disagree": """
        SELECT b.booking_number, b.paid, b.refunded, p.captured, p.refunded FROM bookings b
        JOIN (SELECT tenant_id, booking_id, coalesce(sum(amount) FILTER (WHERE captured_at IS NOT NULL), 0) AS captured,
                  sum(refunded_amount) AS refunded, bool_or(status = 'PROCESSING') AS busy
              FROM payments GROUP BY tenant_id, booking_id) p ON p.tenant_id = b.tenant_id AND p.booking_id = b.id
        WHERE NOT p.busy AND (b.paid <> p.captured OR b.refunded <> p.refunded)""",
    "an entry that is not balanced": """
        SELECT entry_id FROM journal_legs GROUP BY entry_id, currency HAVING sum(amount) <> 0""",
    "a stock account that its seats deny": """
        SELECT account, sum(amount), sum(quantity) FROM (
            SELECT account, amount, quantity FROM journal_legs WHERE account IN ('1200', '5000', '5200')
            UNION ALL SELECT account, -quantity * cost, -quantity FROM seat_movements) AS x
        GROUP BY account HAVING sum(amount) <> 0 OR sum(quantity) <> 0""",
    "stock that is not the seats we own": """
        SELECT legs.amount, seats.cost FROM
            (SELECT coalesce(sum(amount), 0) AS amount FROM journal_legs WHERE account = '1200') AS legs,
            (SELECT coalesce(sum(cost), 0) AS cost FROM event_seats
             WHERE ownership_status = 'OWNED' AND status <> 'SOLD' AND NOT written_off) AS seats
        WHERE legs.amount <> seats.cost""",
    "1100 is not what we hold of customers' money": """
        SELECT legs.amount, held.amount FROM
            (SELECT coalesce(sum(amount), 0) AS amount FROM journal_legs WHERE account = '1100') AS legs,
            (SELECT coalesce(sum(paid - refunded), 0) AS amount FROM bookings) AS held WHERE legs.amount <> held.amount""",
    "1110 is not the sales whose money is still to be taken": """
        SELECT legs.amount, owed.amount FROM
            (SELECT coalesce(sum(amount), 0) AS amount FROM journal_legs WHERE account = '1110') AS legs,
            (SELECT coalesce(sum(total_amount - paid), 0) AS amount FROM bookings
             WHERE status = 'CONFIRMED' AND payment_status = 'PROCESSING') AS owed WHERE legs.amount <> owed.amount""",
    "2200 is not the refunds on their way": """
        SELECT legs.amount, due.amount FROM
            (SELECT coalesce(-sum(amount), 0) AS amount FROM journal_legs WHERE account = '2200') AS legs,
            (SELECT coalesce(sum(amount), 0) AS amount FROM refunds
             WHERE status IN ('REQUESTED', 'SUBMITTED', 'ESCALATED')) AS due WHERE legs.amount <> due.amount""",
    "2210 holds money that nobody decided about": """
        SELECT sum(amount) FROM journal_legs WHERE account = '2210' HAVING sum(amount) <> 0""",
    "a change of state that history does not know": """
        SELECT b.booking_number, b.status, h.to_status FROM bookings b
        LEFT JOIN LATERAL (SELECT to_status FROM history WHERE tenant_id = b.tenant_id AND subject_id = b.id
                           AND to_status NOT LIKE 'payment %' ORDER BY entry DESC LIMIT 1) AS h ON true
        WHERE h.to_status IS DISTINCT FROM b.status
        UNION ALL
        SELECT t.ticket_number, t.status, h.to_status FROM tickets t
        LEFT JOIN LATERAL (SELECT to_status FROM history WHERE tenant_id = t.tenant_id AND subject_id = t.id
                           ORDER BY entry DESC LIMIT 1) AS h ON true
        WHERE h.to_status IS DISTINCT FROM t.status""",
}


def _faults(tx: Tx) -> Iterable[str]:
    for name, query in CONTRADICTIONS.items():
        rows = tx.conn.execute(query).fetchall()
        yield from (f"{name}: {', '.join(map(str, row))}" for row in rows)
