"""The pool, the one way to a transaction, and ids in blocks."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

UNREACHABLE = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError,
               asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, TimeoutError,
               asyncpg.IdleInTransactionSessionTimeoutError,
               asyncpg.InternalClientError)  # fmt: skip
"""What a database that is away looks like, in any of its ways. Work in hand is to be tried again later. The last one
is what the driver makes of a server that dies in the middle of an answer: its clean-up meets the broken connection."""

# Two groups that meet on the same rows in another order: PostgreSQL ends one of them, which is to be run again.
TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Whole:
    """What a block writes, as one transaction. It begins with the first that is asked for, and ends with the block."""

    def __init__(self, db: "Database", first: Callable[[Connection], Awaitable[None]], stack: AsyncExitStack) -> None:
        self._db = db
        self._first = first
        self._stack = stack
        self._conn: Connection | None = None
        self.over = False

    def begun(self, db: "Database") -> "Connection | None":
        """Its connection, where it is one to this database and has begun."""
        return None if self.over or db is not self._db else self._conn

    async def begin(self, db: "Database") -> "Connection | None":
        """The same; begun where it has not. Raises what the block's `first` raises, and stays outside then."""
        if self.over or db is not self._db:
            return None
        if self._conn is None:
            conn = await self._stack.enter_async_context(db.connection())
            await self._stack.enter_async_context(conn.transaction())
            await self._first(conn)
            self._conn = conn
        return self._conn


async def keep_plans(conn: Connection) -> None:
    """Each statement has one plan for all values from here to the end of the transaction. With a year of months
    PostgreSQL would think for longer about the values of each than it takes to find what they mean."""
    await conn.execute("set local plan_cache_mode = force_generic_plan")


_whole: ContextVar[Whole | None] = ContextVar("whole", default=None)

LONGEST_CLOSE = 5.0
LONGEST_STATEMENT, LONGEST_CONNECT = 30.0, 10.0
STATEMENTS = 100
"""Prepared statements that a connection keeps."""
WHEN_WE_VANISH = """
set idle_in_transaction_session_timeout = '5s'; set tcp_user_timeout = 15000;
set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3
"""
"""What the server does about a client whose machine is gone without a word. Its open transaction holds locks, which
others wait for; the kernel would notice after two hours. No transaction of ours waits for anything but the database."""


class Database:
    """A pool of connections to one PostgreSQL. Only here do transactions begin and end."""

    def __init__(self, dsn: str, size: int = 8, direct_dsn: str = "") -> None:
        """With `direct_dsn`, a pooler is at `dsn` that gives each transaction any connection, and that is the way past
        it: nothing that outlives a transaction is done over `dsn` then, prepared statements included."""
        self.dsn = dsn
        self._size = size
        self._direct_dsn = direct_dsn
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connects; raises one of UNREACHABLE where the server is away."""
        self._pool = await asyncpg.create_pool(
            self.dsn, min_size=1, max_size=self._size, init=self._prepare, reset=_leave, **self._options()
        )

    @property
    def session_dsn(self) -> str:
        """Where one connection is one session of the server: for LISTEN, and for whatever takes long."""
        return self._direct_dsn or self.dsn

    def move(self, dsn: str) -> None:
        """Connects to this address from now on: a server that was started again may have another port."""
        self.dsn = dsn
        if self._pool is not None:
            self._pool.set_connect_args(dsn, **self._options())

    async def _prepare(self, conn: Connection) -> None:
        if not self._direct_dsn:
            # Statements, for a pooler refuses settings at the start. One of transactions has its own (docs/scale.md).
            await conn.execute(WHEN_WE_VANISH)
        await _read_json(conn)

    def _options(self) -> dict[str, Any]:
        """Of each connection."""
        return {
            "command_timeout": LONGEST_STATEMENT,
            "timeout": LONGEST_CONNECT,
            "statement_cache_size": 0 if self._direct_dsn else STATEMENTS,
        }

    async def close(self) -> None:
        """Gives the connections back; a statement that still runs is waited for LONGEST_CLOSE seconds, then cut."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), LONGEST_CLOSE)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside a transaction: each statement is its own.

        Whatever the server says to who asks for a connection (a database that is being restored, a password that was
        changed), it says of itself, and not of the work: raises CannotConnectNowError, one of UNREACHABLE.
        """
        whole = _whole.get()
        if whole is not None and (shared := whole.begun(self)) is not None:
            yield shared
            return
        assert self._pool is not None, "the database is not open"
        pool = self._pool
        try:
            conn = await pool.acquire()
        except asyncpg.PostgresError as error:
            raise asyncpg.CannotConnectNowError(str(error)) from error
        try:
            yield conn
        finally:
            await pool.release(conn)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back by an exception.

        Within `as_one` it is a part of the whole: an exception rolls it back, the end of the whole commits it.
        """
        whole = _whole.get()
        shared = await whole.begin(self) if whole is not None else None
        if shared is not None:
            async with shared.transaction():
                yield shared
            return
        async with self.connection() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def one_plan(self) -> AsyncIterator[Connection]:
        """A transaction in which `keep_plans` holds, for what is read by keys."""
        async with self.transaction() as conn:
            await keep_plans(conn)
            yield conn

    @asynccontextmanager
    async def as_one(self, first: Callable[[Connection], Awaitable[None]]) -> AsyncIterator[None]:
        """Makes one of all transactions that this block and what it calls begin: committed with the block, rolled back
        by an exception that leaves it. `first` is run before all else in it."""
        async with AsyncExitStack() as stack:
            whole = Whole(self, first, stack)
            before = _whole.set(whole)
            try:
                yield
            finally:
                whole.over = True
                _whole.reset(before)


async def _leave(_conn: Connection) -> None:
    """Nothing, in place of the driver's four statements after each use: what a session keeps beside its transaction
    (settings, advisory locks, LISTEN, cursors) nothing here sets on a connection of the pool. The driver itself rolls
    back a transaction that was left open."""


async def _read_json(conn: Connection) -> None:
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


class Ids:
    """Ids that are known before the statement that uses them: blocks of BLOCK from one sequence of the database.

    They are unique, and no more than that: nothing may read an order in time from them. Their month they do tell, more
    or less (domain/periods.py): a block is used for LIFE seconds, and what is left of it then is never used.
    """

    BLOCK = 1000
    LIFE = 3600.0

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._next = 0
        self._end = 0
        self._until = 0.0
        self._monotonic = monotonic

    async def take(self, conn: Connection, count: int) -> int:
        """The first of `count` ids in a row (at most BLOCK)."""
        if count > self.BLOCK:
            raise ValueError(f"at most {self.BLOCK} ids at once, not {count}")
        if self._monotonic() >= self._until:
            self._next = self._end
        while self._end - self._next < count:
            until = self._monotonic() + self.LIFE
            first: int = await conn.fetchval("select nextval('id_blocks')")
            self._next, self._end, self._until = first, first + self.BLOCK, until
        first, self._next = self._next, self._next + count
        return first
