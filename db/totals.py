"""Totals of closed stretches of the journal: closing a day or month of recorded time, and up to when that is done.

A DAY stretch holds the legs recorded since the end of the one before it, added up by their effective day (UTC),
accounting day, account, event, supplier and section; a MONTH stretch holds the DAY stretches that end within it, by
month. Stretches follow each other without a gap, so `ends_at` says all that must be known of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db import ledger
from db.transaction import Tx

QUIET = timedelta(seconds=60)
"""How long a day must be over before it is closed; whoever posted in it has ended by then, or is waited for."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """Up to when recorded time is closed by days and by months, as far as somebody at a moment may know of it."""

    days: datetime = BEGINNING
    months: datetime = BEGINNING


def closed(tx: Tx, *, known_at: datetime | None = None) -> Closed:
    """The stretches that ended by that moment, or all."""
    return tx.one(
        """SELECT COALESCE(max(ends_at) FILTER (WHERE span = 'DAY'), %(beginning)s) AS days,
               COALESCE(max(ends_at) FILTER (WHERE span = 'MONTH'), %(beginning)s) AS months
           FROM ledger_stretches
           WHERE tenant_id = %(tenant)s AND (%(known_at)s::timestamptz IS NULL OR ends_at <= %(known_at)s)""",
        {"tenant": tx.tenant_id, "known_at": known_at, "beginning": BEGINNING},
        into=Closed,
    )


def close_next(tx: Tx) -> bool:
    """Close the oldest month or day that can be; whether there was one. Waits for nobody, and nobody waits for it."""
    if not tx.value("SELECT pg_try_advisory_xact_lock(hashtextextended('totals of ' || %s::text, 1))", (tx.tenant_id,)):
        return False
    # A backlog's day may be a large one, and nobody waits for it.
    tx.run("SET LOCAL statement_timeout = '5min'")
    return _close_month(tx) or _close_day(tx)


def _close_day(tx: Tx) -> bool:
    since = closed(tx).days
    ends_at = _next_day_end(tx, since)
    if ends_at is None or _is_posted_in(tx, ends_at):
        return False
    sums = """
        SELECT l.account, l.currency, l.event_id, l.supplier_id, l.section,
            (l.effective_at AT TIME ZONE 'UTC')::date AS effective_from, l.accounting_date AS accounting_from,
            sum(l.amount) AS amount, sum(l.quantity) AS quantity
        FROM journal_entries e JOIN journal_legs l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
        WHERE e.tenant_id = %(tenant)s AND e.recorded_at >= %(since)s AND e.recorded_at < %(ends_at)s
        GROUP BY l.account, l.currency, l.event_id, l.supplier_id, l.section, effective_from, l.accounting_date"""
    _close(tx, "DAY", sums, since=since, ends_at=ends_at)
    return True


def _next_day_end(tx: Tx, since: datetime) -> datetime | None:
    """The end of the first day (UTC) of which something was recorded since then, once it has been over for a while."""
    ends_at: datetime | None = tx.value(
        """SELECT ends_at FROM (
               SELECT date_trunc('day', recorded_at, 'UTC') + interval '24 hours' AS ends_at FROM journal_entries
               WHERE tenant_id = %s AND recorded_at >= %s ORDER BY recorded_at LIMIT 1) AS day
           WHERE ends_at <= clock_timestamp() - %s""",
        (tx.tenant_id, since, QUIET),
    )
    return ends_at


def _is_posted_in(tx: Tx, ends_at: datetime) -> bool:
    """Whether a transaction that began before that moment still holds the books: what it posts may bear an earlier time.

    The lock is looked at, not taken. Whoever's beginning cannot be seen counts as early.
    """
    return bool(
        tx.value(
            f"""SELECT EXISTS (
                    SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND ((l.classid::bigint << 32) | l.objid::bigint) = {ledger.BOOKS}
                      AND COALESCE(a.xact_start < %(ends_at)s, true))""",
            {"tenant": tx.tenant_id, "ends_at": ends_at},
        )
    )


def _close_month(tx: Tx) -> bool:
    """A month is closed by adding up its days, once a day that ends with it or later is closed."""
    done = closed(tx)
    ends_at: datetime | None = tx.value(
        """SELECT ends_at FROM (
               SELECT date_trunc('month', min(ends_at) - interval '24 hours', 'UTC') AT TIME ZONE 'UTC' AS begins
               FROM ledger_stretches WHERE tenant_id = %(tenant)s AND span = 'DAY' AND ends_at > %(months)s) AS first,
               LATERAL (SELECT (begins + interval '1 month') AT TIME ZONE 'UTC' AS ends_at) AS month
           WHERE ends_at <= %(days)s""",
        {"tenant": tx.tenant_id, "months": done.months, "days": done.days},
    )
    if ends_at is None:
        return False
    sums = """
        SELECT account, currency, event_id, supplier_id, section, date_trunc('month', effective_from)::date AS effective_month,
            date_trunc('month', accounting_from)::date AS accounting_month, sum(amount) AS amount, sum(quantity) AS quantity
        FROM ledger_totals
        WHERE tenant_id = %(tenant)s AND span = 'DAY' AND ends_at > %(since)s AND ends_at <= %(ends_at)s
        GROUP BY account, currency, event_id, supplier_id, section, effective_month, accounting_month"""
    _close(tx, "MONTH", sums, since=done.months, ends_at=ends_at)
    return True


def _close(tx: Tx, span: str, sums: str, *, since: datetime, ends_at: datetime) -> None:
    """A stretch, and as its totals what a query adds up between two moments."""
    values = {"tenant": tx.tenant_id, "span": span, "since": since, "ends_at": ends_at}
    tx.run("INSERT INTO ledger_stretches (tenant_id, span, ends_at) VALUES (%(tenant)s, %(span)s, %(ends_at)s)", values)
    tx.run(
        f"""INSERT INTO ledger_totals (tenant_id, span, ends_at, line, account, currency, event_id, supplier_id, section,
                effective_from, accounting_from, amount, quantity)
            SELECT %(tenant)s, %(span)s, %(ends_at)s, row_number() OVER (), sums.*
            FROM ({sums} ORDER BY event_id, account) AS sums""",
        values,
    )
