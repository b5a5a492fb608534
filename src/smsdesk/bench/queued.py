"""Texts put into the queue by the accept statement, all in one transaction, and waited for until all have ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import asyncpg

from smsdesk.bench.alone import FIRST_ID, arguments
from smsdesk.bench.rig import OURS, BenchError, Rig
from smsdesk.store.sends import ACCEPT

GROUP = 200
LOOK = 0.1
"""Seconds between two looks at whether all texts have ended."""
LIMIT = 300.0
"""Seconds after which a delivery that does not end is given up."""
_DELIVERED = "select count(*) from messages where state = 'delivered'"


@asynccontextmanager
async def connected(rig: Rig) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the rig's database."""
    conn = await asyncpg.connect(rig.dsn)
    try:
        yield conn
    finally:
        await conn.close()


async def queue_texts(
    rig: Rig,
    conn: "asyncpg.Connection[asyncpg.Record]",
    first: int,
    count: int,
    before: Callable[[], object] = lambda: None,
) -> None:
    """Queues `count` texts, to the consumers from number `first` on; `before` is called just before the commit shows
    them all at once. Raises BenchError where one is refused."""
    call = partial(arguments, rig.tenant_id, OURS, datetime.now(UTC))
    async with conn.transaction():
        for at in range(0, count, GROUP):
            rows = await conn.fetch(ACCEPT, *call(first + at, min(GROUP, count - at)))
            if refused := {row["outcome"] for row in rows} - {"accepted"}:
                raise BenchError(f"texts were not queued: {', '.join(sorted(refused))}")
        await conn.execute("select pg_notify('texts', $1)", str(rig.tenant_id))
        before()


async def wait_for_ends(conn: "asyncpg.Connection[asyncpg.Record]", check: Callable[[], None]) -> None:
    """Returns when no text is in flight; `check` raises where that cannot come. Raises BenchError after LIMIT."""
    until = time.monotonic() + LIMIT
    while await conn.fetchval("select exists (select from texts)"):
        check()
        if time.monotonic() > until:
            left = await conn.fetchval("select count(*) from texts")
            raise BenchError(f"{left} texts have not ended after {LIMIT:g} s")
        await asyncio.sleep(LOOK)


async def count_delivered(conn: "asyncpg.Connection[asyncpg.Record]") -> int:
    """How many texts were recorded as delivered so far."""
    found: int = await conn.fetchval(_DELIVERED)
    return found


async def last_end(conn: "asyncpg.Connection[asyncpg.Record]", first: int) -> float | None:
    """When the last of the texts ended that were queued here from this consumer on, in seconds since 1970."""
    found: float | None = await conn.fetchval(
        "select extract(epoch from max(ended_at))::float8 from messages where message_id >= $1", FIRST_ID + 5 * first
    )
    return found
