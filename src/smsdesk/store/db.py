"""The pool, the one way to a transaction, and ids in blocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

UNREACHABLE = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError,
               asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, TimeoutError,
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


_whole: ContextVar[Whole | None] = ContextVar("whole", default=None)

LONGEST_CLOSE = 5.0
LONGEST_STATEMENT, LONGEST_CONNECT = 30.0, 10.0


class Database:
    """A pool of connections to one PostgreSQL. Only here do transactions begin and end."""

    def __init__(self, dsn: str, size: int = 8) -> None:
        self.dsn = dsn
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connects; raises one of UNREACHABLE where the server is away."""
        self._pool = await asyncpg.create_pool(
            self.dsn, min_size=1, max_size=self._size, init=_prepare, command_timeout=LONGEST_STATEMENT,
            timeout=LONGEST_CONNECT,
        )  # fmt: skip

    def move(self, dsn: str) -> None:
        """Connects to this address from now on: a server that was started again may have another port."""
        self.dsn = dsn
        if self._pool is not None:
            self._pool.set_connect_args(dsn, command_timeout=LONGEST_STATEMENT, timeout=LONGEST_CONNECT)

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


async def _prepare(conn: Connection) -> None:
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


class Ids:
    """Ids that are known before the statement that uses them: blocks of BLOCK from one sequence of the database.

    They are unique, and no more than that: nothing may read an order in time from them.
    """

    BLOCK = 1000

    def __init__(self) -> None:
        self._next = 0
        self._end = 0

    async def take(self, conn: Connection, count: int) -> int:
        """The first of `count` ids in a row (at most BLOCK)."""
        if count > self.BLOCK:
            raise ValueError(f"at most {self.BLOCK} ids at once, not {count}")
        while self._end - self._next < count:
            first: int = await conn.fetchval("select nextval('id_blocks')")
            self._next, self._end = first, first + self.BLOCK
        first, self._next = self._next, self._next + count
        return first
