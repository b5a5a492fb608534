"""Named moments at which something dies: each is brought about from outside, by what holds the others up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import aiohttp
import asyncpg

from smsdesk.store.groups import AWAY

if TYPE_CHECKING:
    from smsdesk.prove.never_twice import Stage

REACH_LIMIT = 5.0
"""Seconds that a moment is waited for. Where nothing is sent at that time, it dies all the same."""
ON_THE_WIRE = "select count(*) from texts where state = 'sending'"


async def written_not_read(stage: "Stage") -> None:
    """The worker dies when its texts are in the network's buffers, and the lab has read none of them."""
    os.kill(stage.lab.pid, signal.SIGSTOP)
    try:
        await _until(stage, ON_THE_WIRE)
        await stage.kill_worker()
    finally:
        os.kill(stage.lab.pid, signal.SIGCONT)


async def arrived_not_answered(stage: "Stage") -> None:
    """The worker dies when the handsets have texts whose answers are on their way."""
    await _faults(stage, {"answer_delay": 0.5})
    try:
        await _until(stage, ON_THE_WIRE)
        await stage.kill_worker()
    finally:
        await _faults(stage, {})


async def answered_not_written_down(stage: "Stage") -> None:
    """The worker dies when it knows what became of its texts, and the database keeps it from writing that."""
    async with _held(stage, "select from carriers for update"):
        await _until(stage, ON_THE_WIRE)
        await asyncio.sleep(0.1)
        await stage.kill_worker()


async def claimed_by_a_database_that_dies(stage: "Stage") -> None:
    """PostgreSQL dies when texts are claimed, and their outcomes are still to be written."""
    await _faults(stage, {"answer_delay": 0.3})
    try:
        await _until(stage, ON_THE_WIRE)
        await stage.strike("PostgreSQL")
    finally:
        await _faults(stage, {})


async def accepted_not_told(stage: "Stage") -> None:
    """The API dies when its sends wait in the database, which goes on to commit what nobody waits for any more."""
    async with _held(stage, "lock table idempotency_keys in share row exclusive mode"):
        await asyncio.sleep(0.1)
        await stage.strike("API")


async def lost_with_its_line(stage: "Stage") -> None:
    """The line is reset when texts are on it without an answer."""
    await _faults(stage, {"answer_delay": 0.3})
    try:
        await _until(stage, ON_THE_WIRE)
        await stage.strike("line")
    finally:
        await _faults(stage, {})


POINTS: dict[str, Callable[["Stage"], Awaitable[None]]] = {
    "worker, its texts written and not read": written_not_read,
    "worker, its texts arrived and not answered": arrived_not_answered,
    "worker, its answers not written down": answered_not_written_down,
    "PostgreSQL, with texts on the wire": claimed_by_a_database_that_dies,
    "API, its sends committed and not told": accepted_not_told,
    "line, with texts on the wire": lost_with_its_line,
}


async def _until(stage: "Stage", query: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + REACH_LIMIT
    while loop.time() < end:
        with suppress(*AWAY):
            ((count,),) = await stage.rig.rows(query)
            if count:
                return
        await asyncio.sleep(0.005)


async def _faults(stage: "Stage", faults: dict[str, float]) -> None:
    async with aiohttp.ClientSession() as http:
        await http.put(f"http://127.0.0.1:{stage.rig.lab_http_port}/faults", json=faults)


@asynccontextmanager
async def _held(stage: "Stage", statement: str) -> AsyncIterator[None]:
    """A lock of ours, which others meet; none where the database is away at this moment."""
    try:
        conn = await asyncpg.connect(stage.rig.dsn_now(), timeout=REACH_LIMIT)
        lock = conn.transaction()
        await lock.start()
        await conn.execute(statement, timeout=REACH_LIMIT)
    except (*AWAY, TimeoutError):
        yield
        return
    try:
        yield
    finally:
        conn.terminate()
