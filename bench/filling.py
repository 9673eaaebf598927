"""Fills a migrated database with an agency of so many sold tickets, in the rows that the product itself would have written.

Set-based SQL in `bench/sql/filling/`; the triggers that check entry by entry are passed over here, and only here: that
nothing is wrong with what was written is shown by every invariant (tests/bench/test_filling.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from activities.access import add_user, create_tenant, hashed
from db import access
from db.ids import new_id
from db.invariants import Outside
from db.transaction import Database
from domain.access import permissions_of
from domain.labels import seat_key

SQL = Path(__file__).parent / "sql" / "filling"
PASSWORD = "allotment-bench"  # noqa: S105 -- of an agency that exists to be measured
CURRENCY, TIMEZONE = "EUR", "Europe/Berlin"

SOLD_PER_SHOW, SEATS_PER_BOOKING = 2_500, 4
# One booking in this many is given up again; `selling.sql` says which.
CANCELLED_OF = 51
SEATS_PER_ROW, ROWS_PER_SECTION = 20, 33
# Besides the sold ones: three seats in a hundred nobody ever bought.
UNSOLD_PERCENT = 3
HALLS = 20
DAYS = 90
BOOKINGS_AT_ONCE, SHOWS_AT_ONCE = 12_500, 20
SESSIONS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """An agency with its books full; `token` is a living access token of its owner, whose password is PASSWORD."""

    tenant_id: UUID
    account: str
    password: str
    token: str
    currency: str
    tickets: int
    event_ids: Sequence[UUID]
    for_sale_event_id: UUID | None
    """An event of which no seat was ever sold, when one was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How many of what: bookings include those that were given up; halls hold `seats` each, the last one `for_sale`."""

    shows: int
    bookings: int
    seats: int
    for_sale: int

    @classmethod
    def of(cls, tickets: int, *, for_sale: int) -> Plan:
        """ValueError unless the tickets fill bookings of four."""
        if tickets <= 0 or tickets % SEATS_PER_BOOKING:
            raise ValueError(f"tickets come in bookings of {SEATS_PER_BOOKING}, not {tickets}")
        kept = tickets // SEATS_PER_BOOKING
        bookings = kept + (kept - 1) // (CANCELLED_OF - 1)
        shows = -(-tickets // SOLD_PER_SHOW)
        sold = SEATS_PER_BOOKING * -(-bookings // shows)
        seats = -(-sold * (100 + UNSOLD_PERCENT) // 100)
        return cls(shows=shows, bookings=bookings, seats=-(-seats // SEATS_PER_ROW) * SEATS_PER_ROW, for_sale=for_sale)


def fill(owner_url: str, *, tickets: int, seed: int, for_sale: int = 0, days: int = DAYS) -> Filled:
    """A new agency with `tickets` sold tickets (a multiple of 4), sold evenly over the last `days`, and planner figures.

    `for_sale` adds an event with so many owned seats of which none was ever sold. The connection is the tables' owner
    and a superuser: checks are passed over with `session_replication_role`. `seed` moves times and barcodes.
    """
    plan = Plan.of(tickets, for_sale=for_sale)
    tenant_id, account, token = _agency(owner_url)
    with _session(owner_url) as first:
        _state_facts(first, plan, tenant_id=tenant_id, account=account, seed=seed, days=days)
        with first.transaction():
            first.execute(_sql("halls"))
        _fill_apart(owner_url, first, plan)
        first.execute("ANALYZE")
        events = [row[0] for row in first.execute("SELECT event_id FROM shows ORDER BY event").fetchall()]
    return Filled(
        tenant_id=tenant_id,
        account=account,
        password=PASSWORD,
        token=token,
        currency=CURRENCY,
        tickets=tickets,
        event_ids=tuple(events[: plan.shows]),
        for_sale_event_id=events[plan.shows] if for_sale else None,
    )


def outside(owner_url: str) -> Outside:
    """What lies outside of a filled database: a provider whose book says what ours does, a process for each open booking."""
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            """SELECT p.provider_transaction_id, b.booking_number, p.currency, p.amount::text, p.refunded_amount::text
               FROM payments p JOIN bookings b ON b.tenant_id = p.tenant_id AND b.id = p.booking_id
               WHERE p.provider_transaction_id IS NOT NULL"""
        ).fetchall()
        open_ones = connection.execute("SELECT 'booking/' || id FROM bookings WHERE status = 'RESERVED'").fetchall()
    names = ("reference", "description", "currency", "captured", "refunded")
    book = [dict(zip(names, row, strict=True)) for row in rows]
    return Outside(provider_book=book, processes=[process_id for (process_id,) in open_ones])


def _agency(owner_url: str) -> tuple[UUID, str, str]:
    """A new agency with its owner, who is logged in."""
    unique = new_id().hex[-12:]
    account, token = f"owner@{unique}.example", f"ala_{new_id().hex}"
    with Database(owner_url, size=1, name="bench") as database:
        tenant_id = create_tenant(database, name=f"Bench {unique}", currency=CURRENCY, timezone=TIMEZONE)
        with database.transaction(tenant_id) as tx:
            user_id = add_user(tx, email=account, name="Bench", role="owner", password=PASSWORD)
            access.add_credential(
                tx,
                kind="ACCESS",
                secret_hash=hashed(token),
                user_id=user_id,
                family_id=new_id(),
                permissions=sorted(permissions_of("owner")),
                lifetime=timedelta(days=1),
            )
    return tenant_id, account, token


@contextmanager
def _session(owner_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that writes much at once and checks nothing."""
    with psycopg.connect(owner_url, autocommit=True, application_name="allotment-bench") as connection:
        connection.execute(
            """SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '128MB';
               SET temp_buffers = '64MB'; SET jit = off; SET client_min_messages = warning"""
        )
        connection.execute(_sql("words"))
        yield connection


def _state_facts(
    connection: psycopg.Connection[Any], plan: Plan, *, tenant_id: UUID, account: str, seed: int, days: int
) -> None:
    """What is to be made, in temporary tables; human numbers are drawn from the sequences, whole ranges at a time."""
    numbers = {
        "po_numbers": plan.shows + 1,
        "receipt_numbers": plan.shows + 1,
        "bill_numbers": plan.shows + 1,
        "payment_numbers": plan.shows + 1,
        "booking_numbers": plan.bookings,
        "ticket_numbers": plan.bookings * SEATS_PER_BOOKING,
        "refund_numbers": plan.bookings,
    }
    first = [_draw(connection, sequence, count) for sequence, count in numbers.items()]
    span = timedelta(days=days) - timedelta(minutes=10)
    connection.execute(
        """INSERT INTO facts SELECT %(tenant)s, %(by)s, %(currency)s, %(timezone)s,
               to_char(now() AT TIME ZONE 'UTC', 'YYYY'), %(shows)s, %(bookings)s, now() - %(days)s - interval '10 days',
               now() - %(days)s + %(seed)s * interval '1 ms', %(step)s, hashtextextended(%(by)s, %(seed)s),
               %(first)s[1], %(first)s[2], %(first)s[3], %(first)s[4], %(first)s[5], %(first)s[6], %(first)s[7]""",
        {
            "tenant": tenant_id,
            "by": account,
            "currency": CURRENCY,
            "timezone": TIMEZONE,
            "shows": plan.shows,
            "bookings": plan.bookings,
            "days": timedelta(days=days),
            "seed": seed % 1000,
            "step": span.total_seconds() / plan.bookings,
            "first": first,
        },
    )
    _lay_out(connection, plan)


def _draw(connection: psycopg.Connection[Any], sequence: str, count: int) -> int:
    """The first of so many numbers that nobody else gets."""
    row = connection.execute("SELECT nextval(%s::regclass)", (sequence,)).fetchone()
    assert row is not None, "a sequence has a next value"
    connection.execute("SELECT setval(%s::regclass, %s)", (sequence, row[0] + count))
    return int(row[0])


def _lay_out(connection: psycopg.Connection[Any], plan: Plan) -> None:
    """The halls' places and the shows in them."""
    halls = [(hall, plan.seats) for hall in range(min(HALLS, plan.shows))]
    if plan.for_sale:
        halls.append((HALLS, plan.for_sale))
    with connection.cursor() as cursor, cursor.copy("COPY places FROM STDIN") as copy:
        for hall, seats in halls:
            for row in _places(hall, seats):
                copy.write_row(row)
    connection.execute(
        """INSERT INTO shows
           SELECT e, CASE WHEN e < f.events THEN e %% %(halls)s ELSE %(halls)s END,
               CASE WHEN e < f.events THEN %(seats)s ELSE %(for_sale)s END, pg_temp.made(3, e, t.at),
               pg_temp.made(5, e %% 50, f.opened_at), t.at, 20 + (e %% 40) * 0.25
           FROM facts f, generate_series(0, f.events - 1 + %(more)s) AS e,
               LATERAL (SELECT f.opened_at + e * interval '7 days' / f.events AS at) AS t""",
        {"halls": HALLS, "seats": plan.seats, "for_sale": plan.for_sale, "more": int(plan.for_sale > 0)},
    )
    connection.execute("ANALYZE places, shows")


def _places(hall: int, seats: int) -> Iterator[tuple[int, int, str, str, str, str, Decimal]]:
    """A hall seat by seat in human order: twenty to a row, thirty-three rows to a section, a price per section."""
    for place in range(seats):
        row, seat = divmod(place, SEATS_PER_ROW)
        section, row = divmod(row, ROWS_PER_SECTION)
        names = f"Block {section + 1}", str(row + 1), str(seat + 1)
        yield hall, place, *names, seat_key(*names), Decimal(35 + 5 * (section % 6))


def _fill_apart(owner_url: str, first: psycopg.Connection[Any], plan: Plan) -> None:
    """Orders, then bookings in the order of their times, dealt out to sessions side by side."""
    bought = [(at, at + SHOWS_AT_ONCE - 1) for at in range(0, plan.shows + 1, SHOWS_AT_ONCE)]
    sold = [(at, min(at + BOOKINGS_AT_ONCE, plan.bookings) - 1) for at in range(0, plan.bookings, BOOKINGS_AT_ONCE)]
    with _session(owner_url) as second:
        _copy_facts(first, second)
        for parts, files in ((bought, ("buying",)), (sold, ("selling", "cancelling"))):
            waiting = iter(parts)
            with ThreadPoolExecutor(SESSIONS) as sessions:
                list(sessions.map(lambda session, left=waiting, sql=files: _work(session, left, sql), (first, second)))


def _copy_facts(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> None:
    """Temporary tables belong to a session: the other one's are filled with the same."""
    for table in ("facts", "places", "shows"):
        with (
            one.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as source,
            other.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as target,
        ):
            for block in source:
                target.write(block)
        other.execute(f"ANALYZE {table}")


def _work(session: psycopg.Connection[Any], parts: Iterator[tuple[int, int]], files: Sequence[str]) -> None:
    """Take the next part until there is none; a part is a transaction."""
    for part in parts:
        with session.transaction():
            session.execute("TRUNCATE part")
            session.execute("INSERT INTO part VALUES (%s, %s)", part)
            for file in files:
                session.execute(_sql(file))


def _sql(file: str) -> str:
    return (SQL / f"{file}.sql").read_text(encoding="utf-8")
