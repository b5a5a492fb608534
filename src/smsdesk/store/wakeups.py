"""Hints that something waits: NOTIFY wakes, the row tells, and a lost hint costs a second."""

import asyncio
from collections.abc import Callable

import asyncpg


async def listen(dsn: str, heard: Callable[[str, str], None]) -> None:
    """Calls `heard(channel, payload)` for what comes on `texts` and `setup`; returns when the connection ends."""
    conn = await asyncpg.connect(dsn, timeout=10)
    ended = asyncio.Event()
    conn.add_termination_listener(lambda _conn: ended.set())
    try:
        for channel in ("texts", "setup"):
            await conn.add_listener(channel, lambda _conn, _pid, name, payload: heard(name, str(payload)))
        await ended.wait()
    finally:
        conn.terminate()
