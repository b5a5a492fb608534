"""Hints that something waits: NOTIFY wakes, the row tells, and a lost hint costs a second."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg

from smsdesk.store.db import LONGEST_CONNECT

LOOK = 10.0
"""Seconds between two looks whether the server is still there: a machine that is gone ends no connection."""


def _nothing() -> None:
    """What most do when they begin to hear: nothing."""


async def listen(
    dsn: str,
    heard: Callable[[str, str], None],
    channels: Sequence[str] = ("texts", "setup"),
    began: Callable[[], None] = _nothing,
) -> None:
    """Calls `heard(channel, payload)` for what comes on the channels, and `began` before the first of it: what was told
    earlier is not heard. Returns when the connection ends, or raises what ended it."""
    conn = await asyncpg.connect(dsn, timeout=LONGEST_CONNECT)
    ended = asyncio.Event()
    conn.add_termination_listener(lambda _conn: ended.set())
    try:
        for channel in channels:
            await conn.add_listener(channel, lambda _conn, _pid, name, payload: heard(name, str(payload)))
        began()
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), LOOK)
            except TimeoutError:
                await conn.fetchval("select 1", timeout=LOOK)
    finally:
        conn.terminate()
