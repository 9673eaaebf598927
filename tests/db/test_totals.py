"""Totals of closed days change no answer: whatever was recorded when, whatever is asked for, it is what the legs add up to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.totals import add_up_closed_days
from db import invariants, reports, totals
from db.ids import new_id
from db.invariants import Outside
from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Database, Tx
from domain.ledger import Account
from reports import profit, revenue, trial_balance, valuation
from reports.tables import to_csv, to_json
from tests.conftest import CloneMaker
from tests.makers.access import Agency, an_agency
from tests.makers.books import a_place, at, buy, cancel, scope, sell

GROUPS: tuple[GroupBy, ...] = ("event", "supplier", "section")
ACCOUNTS = (Account.TICKET_INVENTORY, Account.TICKET_SALES, Account.SERVICE_FEES, Account.BANK)
EVENTS, SUPPLIERS = [new_id(), new_id(), None], [new_id(), None]
DAYS_BACK = 100


@dataclass(frozen=True)
class Posting:
    """Money from the bank to an account; recorded and effective so many seconds after midnight, so many days ago."""

    recorded: tuple[int, int]
    effective: tuple[int, int]
    account: Account
    event: int
    supplier: int
    section: str | None
    cents: int
    quantity: int


def moments() -> st.SearchStrategy[tuple[int, int]]:
    """Any moment, the edges of days rather often."""
    seconds = st.one_of(st.sampled_from([0, 1, 86_399, 82_800]), st.integers(0, 86_399))
    return st.tuples(st.integers(2, DAYS_BACK), seconds)


POSTINGS = st.builds(
    Posting,
    recorded=moments(),
    effective=moments(),
    account=st.sampled_from(ACCOUNTS[:3]),
    event=st.integers(0, 2),
    supplier=st.integers(0, 1),
    section=st.sampled_from(["Parkett", "Rang", None]),
    cents=st.integers(-5000, 5000).filter(bool),
    quantity=st.integers(-2, 2),
)
QUESTIONS = st.tuples(
    moments(),
    moments(),
    st.none() | st.integers(0, DAYS_BACK),
    st.none() | st.integers(0, DAYS_BACK),
    st.none() | st.integers(0, 1),
)


def moment(midnight: datetime, ago: tuple[int, int]) -> datetime:
    return midnight - timedelta(days=ago[0]) + timedelta(seconds=ago[1])


def write(tx: Tx, posting: Posting, midnight: datetime, *, recorded: datetime | None = None) -> None:
    """An entry and its two legs, as the journal's pen would have left them at that time."""
    entry_id = new_id()
    recorded, effective = recorded or moment(midnight, posting.recorded), moment(midnight, posting.effective)
    tx.run(
        """INSERT INTO journal_entries (tenant_id, id, kind, key, subject_object, subject_id, by, currency, occurred_at,
               effective_at, accounting_date, recorded_at)
           VALUES (%(tenant)s, %(id)s, 'PAYOUT', %(key)s, 'test', %(id)s, 'test', 'EUR', %(effective)s, %(effective)s,
               (%(effective)s AT TIME ZONE 'Europe/Berlin')::date, %(recorded)s)""",
        {"tenant": tx.tenant_id, "id": entry_id, "key": str(entry_id), "effective": effective, "recorded": recorded},
    )
    sides = [
        (posting.account, posting.cents, posting.quantity, EVENTS[posting.event], SUPPLIERS[posting.supplier]),
        (Account.BANK, -posting.cents, 0, None, None),
    ]
    for number, (account, cents, quantity, event_id, supplier_id) in enumerate(sides, 1):
        tx.run(
            """INSERT INTO journal_legs (tenant_id, entry_id, leg, kind, account, currency, amount, quantity, event_id,
                   supplier_id, section, effective_at, accounting_date, recorded_at)
               SELECT tenant_id, id, %s, kind, %s, currency, %s, %s, %s, %s, %s, effective_at, accounting_date, recorded_at
               FROM journal_entries WHERE id = %s""",
            (
                number,
                account.code,
                Decimal(cents) / 100,
                quantity,
                event_id,
                supplier_id,
                posting.section if event_id else None,
                entry_id,
            ),
        )


def recounted(tx: Tx, asked: Scope, group: str) -> set[tuple[str, str, Decimal, int]]:
    """The legs within the scope one by one, as a reader of the contract would add them up."""
    rows = tx.dicts(
        f"""SELECT COALESCE({group}::text, '') AS key, account, sum(amount) AS amount, sum(quantity) AS quantity
            FROM journal_legs WHERE effective_at <= %(as_of)s AND recorded_at <= %(known_at)s
              AND (%(event)s::uuid IS NULL OR event_id = %(event)s)
              AND (%(from)s::date IS NULL OR accounting_date >= %(from)s)
              AND (%(to)s::date IS NULL OR accounting_date <= %(to)s)
            GROUP BY 1, 2""",
        {
            "as_of": asked.as_of,
            "known_at": asked.known_at,
            "from": asked.from_date,
            "to": asked.to_date,
            "event": asked.event_id,
        },
    )
    return {(row["key"], row["account"], row["amount"], row["quantity"]) for row in rows}


def answered(tx: Tx, asked: Scope, group_by: GroupBy) -> set[tuple[str, str, Decimal, int]]:
    found = reports.flows(tx, asked, group_by=group_by, accounts=ACCOUNTS)
    return {(one.key, one.account.code, one.amount, one.quantity) for one in found}


def close_some(tx: Tx, most: int) -> int:
    for closed in range(most):
        if not totals.close_next(tx):
            return closed
    return most


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    postings=st.lists(POSTINGS, min_size=1, max_size=12),
    late=st.lists(POSTINGS, max_size=4),
    most=st.integers(0, 20),
    questions=st.lists(QUESTIONS, min_size=1, max_size=6),
)
def test_every_answer_is_what_the_legs_add_up_to(
    database: Database,
    tenant: Agency,
    postings: Sequence[Posting],
    late: Sequence[Posting],
    most: int,
    questions: Sequence[tuple[tuple[int, int], tuple[int, int], int | None, int | None, int | None]],
) -> None:
    with database.transaction(tenant.id) as tx:
        tx.keep = False
        now = reports.database_now(tx)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for posting in postings:
            write(tx, posting, midnight)
        close_some(tx, most)
        for posting in late:
            write(tx, posting, midnight, recorded=max(totals.closed(tx).days, moment(midnight, posting.recorded)))

        for as_of, known_at, first, last, event in questions:
            asked = Scope(
                as_of=moment(midnight, as_of),
                known_at=moment(midnight, known_at),
                from_date=None if first is None else midnight.date() - timedelta(days=first),
                to_date=None if last is None else midnight.date() - timedelta(days=last),
                event_id=None if event is None else EVENTS[event],
            )
            for one in (asked, replace(asked, known_at=now), replace(asked, as_of=now, known_at=now)):
                check(tx, one)


def check(tx: Tx, asked: Scope) -> None:
    for group_by in GROUPS:
        column = group_by if group_by == "section" else f"{group_by}_id"
        assert answered(tx, asked, group_by) == recounted(tx, asked, column)
    plain = replace(asked, from_date=None, to_date=None)
    told = {(one.code, one.amount) for one in reports.balances(tx, asked)}
    recount: dict[str, Decimal] = {}
    for _, account, amount, _ in recounted(tx, plain, "event_id"):
        recount[account] = recount.get(account, Decimal(0)) + amount
    assert told == set(recount.items())


def every_report(tx: Tx, asked: Scope) -> list[tuple[Any, bytes]]:
    grouped = [
        read(tx, asked, group_by=group) for read in (profit.read, revenue.read, valuation.read) for group in GROUPS
    ]
    return [(to_json(one), to_csv(one)) for one in [*grouped, trial_balance.read(tx, asked)]]


def some_trade(tx: Tx) -> None:
    """Bought, sold and cancelled in March, and recorded then: by hand, for the pen knows only now."""
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-30T12:00"))
    cancel(tx, place, on=at("2026-04-02T12:00"))


def recorded_long_ago(owner_url: str) -> None:
    """As if everything had been recorded when it happened."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in ("journal_entries", "journal_legs"):
            connection.execute(f"UPDATE {table} SET recorded_at = effective_at")


def test_reports_are_the_same_to_the_byte_before_and_after_the_days_are_added_up(another_clone: CloneMaker) -> None:
    clone = another_clone()
    with Database(clone.app_url) as database:
        agency = an_agency(database)
        with database.transaction(agency.id) as tx:
            some_trade(tx)
        recorded_long_ago(clone.owner_url)
        moments = [at("2026-03-01T12:00"), at("2026-03-31T21:59"), at("2026-04-02T11:59"), datetime.now(UTC)]
        asked = [scope(one) for one in moments]
        with database.transaction(agency.id) as tx:
            before = [every_report(tx, one) for one in asked]

        closed = add_up_closed_days(database)

        with database.transaction(agency.id) as tx:
            assert [every_report(tx, one) for one in asked] == before
            assert tx.value("SELECT count(*) FROM ledger_totals") > 0
        # Three days, and the March of two of them.
        assert closed == 4
        assert add_up_closed_days(database) == 0
        assert violations(clone.owner_url) == []


def violations(owner_url: str, *, broken_by: str | None = None) -> list[str]:
    """What P4 finds, after this statement of the owner's, which is kept."""
    if broken_by:
        with psycopg.connect(owner_url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(broken_by)
    invariant = next(one for one in invariants.invariants() if one.name == "P4")
    with invariants.audit(owner_url, Outside()) as connection:
        return [row.fault for row in invariants.violations(connection, invariant)]


@pytest.mark.parametrize(
    "broken_by",
    [
        "UPDATE ledger_totals SET amount = amount + 1 WHERE span = 'DAY' AND account = '4000'",
        "UPDATE ledger_totals SET quantity = quantity + 1 WHERE span = 'MONTH' AND account = '4000'",
        "DELETE FROM ledger_totals WHERE account = '1110'",
        "UPDATE ledger_totals SET effective_from = effective_from + 1 WHERE span = 'DAY'",
        "UPDATE journal_legs SET recorded_at = recorded_at - interval '20 days' WHERE kind = 'CANCELLATION'",
    ],
)
def test_totals_of_other_than_their_legs_are_seen(another_clone: CloneMaker, broken_by: str) -> None:
    clone = another_clone()
    with Database(clone.app_url) as database:
        agency = an_agency(database)
        with database.transaction(agency.id) as tx:
            some_trade(tx)
        recorded_long_ago(clone.owner_url)
        add_up_closed_days(database)

        found = violations(clone.owner_url, broken_by=broken_by)

    assert found != []


def test_a_day_is_left_open_while_somebody_posts_who_began_in_it(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        start = reports.database_now(tx)
        ends_at = start + timedelta(seconds=1)
        assert not totals._is_posted_in(tx, ends_at)

        with database.transaction(tenant.id) as writing:
            buy(writing, a_place(writing), on=at("2026-03-01T12:00"))
            begun_in_it = totals._is_posted_in(tx, ends_at)
            begun_after = totals._is_posted_in(tx, start - timedelta(seconds=1))

        assert (begun_in_it, begun_after) == (True, False)
        assert not totals._is_posted_in(tx, ends_at)


def test_closing_a_day_waits_for_nobody_and_nobody_waits_for_it(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as closing:
        assert not totals.close_next(closing)

        with database.transaction(tenant.id) as writing:
            writing.run("SET LOCAL lock_timeout = '200ms'")
            buy(writing, a_place(writing), on=at("2026-03-01T12:00"))
            assert not totals.close_next(writing), "another one is closing"


def test_no_posting_is_stamped_into_a_closed_day(database: Database, tenant: Agency) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with database.transaction(tenant.id) as tx:
        tx.run("INSERT INTO ledger_stretches (tenant_id, span, ends_at) VALUES (%s, 'DAY', %s)", (tx.tenant_id, ahead))
        entry_id = buy(tx, a_place(tx), on=at("2026-03-01T12:00"))

        recorded = tx.value("SELECT recorded_at FROM journal_entries WHERE id = %s", (entry_id,))

    assert recorded == ahead


def test_the_application_cannot_change_what_is_closed(database: Database, tenant: Agency) -> None:
    for table in ("ledger_stretches", "ledger_totals"):
        with database.transaction(tenant.id) as tx:
            for statement in (f"UPDATE {table} SET ends_at = now()", f"DELETE FROM {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), tx.savepoint():
                    tx.run(statement)


def test_two_dispatchers_close_a_day_once(another_clone: CloneMaker) -> None:
    clone = another_clone()
    counts: list[int] = []
    with Database(clone.app_url) as database:
        agency = an_agency(database)
        with database.transaction(agency.id) as tx:
            some_trade(tx)
        recorded_long_ago(clone.owner_url)

        threads = [threading.Thread(target=lambda: counts.append(add_up_closed_days(database))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts.append(add_up_closed_days(database))

    assert sum(counts) == 4
    assert violations(clone.owner_url) == []
