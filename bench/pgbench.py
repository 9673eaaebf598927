"""The anchor of reserving: the product's very statements sent by pgbench, which does nothing else, on the same seats."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from activities.access import hashed
from bench.stock import BASKET, CURRENCY, FEE_PERCENT, PRICE, TAX_RATE, Basket
from bench.tails import quantile
from db import reserving
from db.arrays import literal
from domain.booking import price
from domain.refunds import DEFAULT_POLICY
from supervisor import postgres_binaries

FREE_ROLE = "bench_without_walls"

# The app draws ids and amounts in its own process. Here the basket, the ids and the barcodes come with the statement
# that authenticates, so that the statements of reserving get the same parameters from outside and nothing is added to them.
OPENING = """
\\set turn :turn + 1
\\set n permute(:turn * :lines + :client_id, :baskets, 7)
BEGIN;
SELECT a.tenant_id AS tenant, a.actor AS by, b.event, b.customer, b.seats, {new_id} AS booking, {new_id} AS message,
    ARRAY[{new_id}, {new_id}, {new_id}, {new_id}] AS tickets,
    ARRAY[gen_random_uuid()::text, gen_random_uuid()::text, gen_random_uuid()::text, gen_random_uuid()::text] AS barcodes
FROM bench_baskets b, authenticate(b.secret_hash) a WHERE b.n = :n
\\gset
"""
PROCESS = """('{"process": "Booking", "process_id": "booking/' || :booking::uuid || '", "argument": {"tenant_id": "'
    || :tenant::uuid || '", "booking_id": "' || :booking::uuid || '"}}')"""
SEATS = """CREATE TABLE bench_baskets (n integer PRIMARY KEY, secret_hash bytea NOT NULL, event uuid NOT NULL,
    customer uuid NOT NULL, seats uuid[] NOT NULL)"""


@dataclass(frozen=True)
class Ran:
    """What pgbench found: transactions per second; each one's end and seconds since it was due, in the order of the ends."""

    rate: float
    ends: Sequence[float]
    seconds: Sequence[float]

    def quantile(self, part: float) -> float:
        """Seconds within which that part of the transactions ended."""
        return quantile(self.seconds, part)


def spread(owner_url: str, baskets: Sequence[Basket]) -> None:
    """Lay out the baskets that pgbench takes, beside the product's tables."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_baskets")
        connection.execute(SEATS)
        with connection.cursor().copy("COPY bench_baskets FROM STDIN") as rows:
            for n, basket in enumerate(baskets):
                row = (hashed(basket.sale.token), basket.sale.event_id, basket.customer_id, list(basket.seats))
                rows.write_row((n, *row))
        connection.execute("VACUUM (ANALYZE) bench_baskets")
        connection.execute("GRANT SELECT ON bench_baskets TO PUBLIC")


def run(
    url: str,
    *,
    of: int,
    transactions: int,
    clients: int = 8,
    rate: float | None = None,
    threads: int = 1,
    turn: int = 0,
) -> Ran:
    """So many reservations, shared among the clients, each of another of the `of` baskets that were spread.

    Every client begins with its basket of the given turn, from 0: those before were sold by another run.
    With a `rate` pgbench begins them at random moments of that rate and counts from the moment they were due.
    Raises RuntimeError when pgbench fails, or when a reservation got nothing.
    """
    before = _bookings(url)
    with tempfile.TemporaryDirectory(prefix="allotment-pgbench-") as folder:
        script = Path(folder) / "reserve.sql"
        script.write_text(_script(url))
        options = ["-c", clients, "-j", threads, "-t", transactions // clients, "-f", script, "-l", "--max-tries=1"]
        variables = {"turn": turn - 1, "lines": clients, "baskets": of}
        options += [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
        options += ["-R", f"{rate:.3f}"] if rate else []
        printed = _pgbench(url, folder, *map(str, options))
        lines = sorted(_ended(line) for log in _logs(folder) for line in log.read_text().splitlines())
    made = _bookings(url) - before - 1
    if made != transactions // clients * clients:
        raise RuntimeError(f"of {transactions} reservations by pgbench {made} were made:\n{printed}")
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found, printed
    began = lines[0][0] - lines[0][1]
    return Ran(float(found.group(1)), [end - began for end, _ in lines], [seconds for _, seconds in lines])


@contextmanager
def without_walls(owner_url: str, app_url: str) -> Iterator[str]:
    """A login with the app's rights that row-level security does not touch, for as long as the block lasts; its URL."""
    database = conninfo_to_dict(owner_url)["dbname"]
    secret = conninfo_to_dict(app_url)["password"]
    role, rights = sql.Identifier(FREE_ROLE), sql.Identifier(f"{database}_rights")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        made = sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD {}").format(role, sql.Literal(secret))
        connection.execute(made)
        connection.execute(sql.SQL("GRANT {} TO {}").format(rights, role))
        try:
            yield psycopg.conninfo.make_conninfo(app_url, user=FREE_ROLE)
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def _script(url: str) -> str:
    with psycopg.connect(url) as connection:
        new_id = "uuidv7()" if connection.info.server_version >= 180000 else "gen_random_uuid()"
    reads = {
        "tenant": ":tenant::uuid",
        "event": ":event::uuid",
        "customer": ":customer::uuid",
        "seats": ":seats::uuid[]",
    }
    parts = (OPENING.format(new_id=new_id), reserving.READ % reads, ";", reserving.TAKE % _taking(), ";\nCOMMIT;\n")
    return "".join(parts)


def _taking() -> dict[str, str]:
    """TAKE's parameters: what differs from basket to basket is a variable, what does not stands there as it is."""
    due = price([PRICE] * BASKET, fee_percent=FEE_PERCENT, currency=CURRENCY, tax_rate=TAX_RATE)
    each = {"price": due.prices, "fee": due.fee_shares, "tax": due.tax_shares}
    sums = {"subtotal": due.subtotal, "service_fee": due.service_fee, "tax_amount": due.tax_amount, "total": due.total}
    return {
        **{name: f":{name}::uuid" for name in ("tenant", "booking", "event", "customer", "message")},
        **{name: f"'{sum_.amount}'::numeric" for name, sum_ in sums.items()},
        **{name: f"'{literal(money.amount for money in shares)}'" for name, shares in each.items()},
        "seat": ":seats",
        "ticket": ":tickets",
        "barcode": ":barcodes",
        "window": "'15 minutes'::interval",
        "count": str(BASKET),
        "currency": f"'{CURRENCY}'",
        "policy": f"'{json.dumps(DEFAULT_POLICY.snapshot())}'::jsonb",
        "by": ":by",
        "process": PROCESS,
    }


def _bookings(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT nextval('booking_numbers')").fetchone()
    assert row is not None
    return int(row[0])


def _pgbench(url: str, folder: str, *options: str) -> str:
    binaries = postgres_binaries.choose()
    parts = conninfo_to_dict(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    told = {variable: str(parts[name]) for name, variable in names.items()}
    done = subprocess.run(
        (binaries.path("pgbench"), "-n", "-M", "prepared", *options),
        cwd=folder,
        env={**os.environ, **binaries.environment(), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
    return done.stdout


def _ended(line: str) -> tuple[float, float]:
    """When a transaction ended, in seconds since 1970, and how many it took, of a line of pgbench's log."""
    _client, _number, microseconds, _script, epoch, rest, *_more = line.split()
    return int(epoch) + int(rest) / 1e6, int(microseconds) / 1e6


def _logs(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("pgbench_log.*"))
