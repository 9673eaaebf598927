"""The one transaction: opened here, told its tenant here, committed here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg_pool import ConnectionPool, PoolTimeout

T = TypeVar("T")
Params = Mapping[str, Any] | Sequence[Any] | None

SYSTEM = "allotment"

# How a transaction opens: the first statement of its own comes in the same round trip.
NAME_TENANT = "BEGIN; SELECT set_config('allotment.tenant', %s, true)"
AUTHENTICATE = "BEGIN; SELECT * FROM authenticate(%s)"


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached; nothing was done."""


class Unauthenticated(Exception):
    """No living credential has this secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who acts: a user by an access token, or an API key."""

    tenant_id: UUID
    credential_id: UUID
    kind: str
    user_id: UUID | None
    actor: str
    role: str
    permissions: Sequence[str]

    @property
    def key(self) -> str:
        """What idempotency keys and limits are counted by."""
        return str(self.user_id or self.credential_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Something that a door names, and whose it is."""

    tenant_id: UUID
    id: UUID


Writer = Callable[["Tx", list[Any]], None]
Opened = psycopg.ClientCursor["Principal"]


@dataclass(slots=True)
class Tx:
    """An open transaction of one tenant. Rows come back as the frozen dataclass given in `into`.

    With `keep` off it is rolled back at its end: a preview.
    """

    conn: psycopg.Connection[Any]
    tenant_id: UUID
    actor: str = SYSTEM
    request_id: str | None = None
    principal: Principal | None = None
    left: dict[Writer, list[Any]] = field(default_factory=dict)
    after: list[Callable[[], None]] = field(default_factory=list)
    keep: bool = True

    def all(self, query: str, params: Params = None, *, into: type[T]) -> list[T]:
        """Every row."""
        with self.conn.cursor(row_factory=class_row(into)) as cursor:
            return cursor.execute(query, params).fetchall()

    def maybe(self, query: str, params: Params = None, *, into: type[T]) -> T | None:
        """The first row, or None."""
        with self.conn.cursor(row_factory=class_row(into)) as cursor:
            return cursor.execute(query, params).fetchone()

    def one(self, query: str, params: Params = None, *, into: type[T]) -> T:
        """The one row that must be there; LookupError when it is not."""
        row = self.maybe(query, params, into=into)
        if row is None:
            raise LookupError(f"no row: {query[:60]}")
        return row

    def dicts(self, query: str, params: Params = None) -> list[dict[str, Any]]:
        """Every row as a dict, for shapes that exist only once."""
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, params).fetchall()

    def value(self, query: str, params: Params = None) -> Any:
        """The first column of the first row, None when there is no row."""
        with self.conn.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(query, params).fetchone()

    def values(self, query: str, params: Params = None) -> list[Any]:
        """The first column of every row."""
        with self.conn.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(query, params).fetchall()

    def run(self, query: str, params: Params = None) -> int:
        """How many rows a statement touched."""
        return self.conn.execute(query, params).rowcount

    def run_many(self, query: str, rows: Sequence[Params]) -> None:
        """The same statement for many rows, in one batch."""
        with self.conn.cursor() as cursor:
            cursor.executemany(query, [row for row in rows if row is not None])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Writes inside are undone when the block raises, what was left for the end too; the transaction goes on."""
        self.write_left()
        try:
            with self.conn.transaction():
                yield
        except BaseException:
            self.left.clear()
            raise

    def leave(self, writer: Writer, row: Any) -> None:
        """Have this written as the last thing before the commit, in one go with all that was left to the same writer."""
        self.left.setdefault(writer, []).append(row)

    def write_left(self) -> None:
        """Write what was left for the end; for whoever reads it before."""
        left, self.left = self.left, {}
        for writer, rows in left.items():
            writer(self, rows)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do this once the transaction has committed; it must not raise."""
        self.after.append(act)


class Database:
    """A pool of connections and the ways to open a transaction on one of them."""

    def __init__(self, url: str, *, size: int = 8, name: str = "allotment") -> None:
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            url,
            min_size=1,
            max_size=size,
            timeout=3,
            open=False,
            reconnect_timeout=0,
            kwargs={
                "autocommit": True,
                "application_name": name,
                "connect_timeout": 3,
                "keepalives_idle": 5,
                "tcp_user_timeout": 8000,
            },
        )
        self._size = size

    def open(self) -> Database:
        """Start filling the pool; does not wait for the server."""
        self._pool.open(wait=False)
        return self

    def close(self) -> None:
        """Give every connection back to the server."""
        self._pool.close(timeout=2)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, tenant_id: UUID, *, actor: str = SYSTEM, request_id: str | None = None) -> Iterator[Tx]:
        """A transaction of this tenant, for processes that already know whom they serve."""
        with self._begun(NAME_TENANT, (str(tenant_id),)) as opened:
            tx = Tx(opened.connection, tenant_id, actor, request_id)
            yield tx
            self._commit(tx)

    @contextmanager
    def authenticated(self, secret_hash: bytes, *, request_id: str | None = None) -> Iterator[Tx]:
        """A transaction of whoever holds this secret: beginning, authenticating and naming the tenant is one round trip.

        Raises Unauthenticated when nobody does.
        """
        with self._begun(AUTHENTICATE, (secret_hash,)) as opened:
            principal = opened.fetchone()
            if principal is None:
                raise Unauthenticated
            tx = Tx(opened.connection, principal.tenant_id, principal.actor, request_id, principal)
            yield tx
            self._commit(tx)

    @contextmanager
    def tenantless(self) -> Iterator[Tx]:
        """A transaction that has named no tenant: it sees no agency's rows and may only knock at the doors."""
        with self._begun("BEGIN") as opened:
            tx = Tx(opened.connection, UUID(int=0))
            yield tx
            self._commit(tx)

    def look(self, query: str, params: Params = None, *, into: type[T]) -> list[T]:
        """What a door answers, in one round trip: a single statement that only reads and has named no tenant."""

        def ask(conn: psycopg.Connection[Any]) -> tuple[psycopg.Connection[Any], list[T]]:
            with conn.cursor(row_factory=class_row(into)) as cursor:
                return conn, cursor.execute(query, params).fetchall()

        conn, rows = self._on_a_living_one(ask)
        self._give_back(conn)
        return rows

    def look_by_tenant(self, query: str, params: Params = None) -> dict[UUID, list[UUID]]:
        """The same for pairs of `tenant_id` and `id`: the ids of each tenant, in the door's order."""
        found: dict[UUID, list[UUID]] = {}
        for one in self.look(query, params, into=Found):
            found.setdefault(one.tenant_id, []).append(one.id)
        return found

    def _commit(self, tx: Tx) -> None:
        if tx.keep:
            tx.write_left()
        tx.conn.execute("COMMIT" if tx.keep else "ROLLBACK")
        for act in tx.after if tx.keep else ():
            act()

    @contextmanager
    def _begun(self, opening: str, params: Params = None) -> Iterator[Opened]:
        opened = self._fresh(opening, params)
        conn = opened.connection
        try:
            yield opened
        except psycopg.OperationalError as error:
            if conn.broken or conn.closed:
                raise DatabaseAway(str(error)) from error
            raise
        finally:
            self._give_back(conn)

    def _fresh(self, opening: str, params: Params) -> Opened:
        """A transaction opened in one round trip."""

        def open_on(conn: psycopg.Connection[Any]) -> Opened:
            # Only a cursor that binds on our side may send two statements at once.
            opened: Opened = psycopg.ClientCursor(conn, row_factory=class_row(Principal))
            opened.execute(opening, params)
            opened.nextset()
            return opened

        return self._on_a_living_one(open_on)

    def _on_a_living_one(self, act: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Do it on a connection of the pool, which `act` keeps; those that died there are passed over."""
        error: Exception | None = None
        for _ in range(self._size + 2):
            try:
                conn = self._pool.getconn()
            except (PoolTimeout, psycopg.OperationalError) as away:
                raise DatabaseAway(str(away)) from away
            try:
                return act(conn)
            except psycopg.Error as dead:
                self._give_back(conn)
                if not conn.broken:
                    raise
                error = dead
        raise DatabaseAway(str(error))

    def _give_back(self, conn: psycopg.Connection[Any]) -> None:
        """Return a connection, rolled back if it was not committed."""
        if not conn.broken and conn.info.transaction_status != TransactionStatus.IDLE:
            try:
                conn.execute("ROLLBACK")
            except psycopg.OperationalError:
                conn.close()
        self._pool.putconn(conn)
