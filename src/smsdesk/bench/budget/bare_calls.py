"""What a call to the database costs by itself: the driver's part in our process, and the server's for plain writes.

Microseconds of CPU. The driver's are for a call, the server's for a row or a transaction.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from smsdesk.bench.budget.bare import GROUP, PHONE, TEXT
from smsdesk.bench.processes import PROC

CALLS, WARM = 300, 20
"""Calls of each measurement, and calls before it."""


async def calling(dsn: str, statement: str, arguments: Sequence[object]) -> float:
    """The driver's part of a call with the arguments of this statement, of which the server does nothing."""
    conn = await asyncpg.connect(dsn)
    try:
        kinds = [kind.name for kind in (await conn.prepare(statement)).get_parameters()]
        nothing = " and ".join(f"${number}::{kind} is null" for number, kind in enumerate(kinds, 1))
        prepared = await conn.prepare(f"select 1 where {nothing}")
        return await _client(lambda: prepared.fetch(*arguments))
    finally:
        await conn.close()


async def recording(dsn: str, arrays: int) -> float:
    """The driver's part of a call with so many arrays of GROUP short words."""
    statement = "select 1 where " + " and ".join(f"${number}::text[] is null" for number in range(1, arrays + 1))
    return await calling(dsn, statement, [["a word"] * GROUP] * arrays)


async def fetching(dsn: str, rows: int) -> float:
    """The driver's part of a call that gives so many texts."""
    conn = await asyncpg.connect(dsn)
    try:
        columns = "i, 1::smallint, $2::text, $2::text, $3::text, 1::smallint, now()"
        prepared = await conn.prepare(f"select {columns} from generate_series(1::int8, $1) i")  # noqa: S608
        return await _client(lambda: prepared.fetch(rows, PHONE, TEXT.decode()))
    finally:
        await conn.close()


@dataclass(frozen=True, slots=True)
class Written:
    """What the server's process takes for a row that is inserted, for one that is updated, in groups of GROUP, and for
    a transaction that writes one short row."""

    inserted: float
    updated: float
    commit: float


async def writing(dsn: str, size: int) -> Written:
    """Writes rows of so many bytes into a table without indexes, by COPY where they are new."""
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("create table budget_bare (id bigint, body text) with (fillfactor = 50)")
        pid, body = conn.get_server_pid(), "x" * max(1, size - 36)  # 36 bytes: a row's header, its id, their alignment
        rows = [(number, body) for number in range(GROUP)]
        update = await conn.prepare("update budget_bare set id = id + 1")
        one = await conn.prepare("insert into budget_bare values (1, '')")
        await conn.copy_records_to_table("budget_bare", records=rows)
        updated = await _server(pid, update.fetch)
        inserted = await _server(pid, lambda: conn.copy_records_to_table("budget_bare", records=rows))
        return Written(inserted / GROUP, updated / GROUP, await _server(pid, one.fetch))
    finally:
        await conn.execute("drop table if exists budget_bare")
        await conn.close()


async def _client(call: Callable[[], Awaitable[object]]) -> float:
    for _ in range(WARM):
        await call()
    began = time.thread_time()
    for _ in range(CALLS):
        await call()
    return (time.thread_time() - began) / CALLS * 1e6


async def _server(pid: int, call: Callable[[], Awaitable[object]]) -> float:
    for _ in range(WARM):
        await call()
    began = _ran(pid)
    for _ in range(CALLS):
        await call()
    return (_ran(pid) - began) / CALLS / 1e3


def _ran(pid: int) -> int:
    """Nanoseconds on a core of a process that has one thread (/proc/PID/schedstat)."""
    return int((PROC / str(pid) / "schedstat").read_text(encoding="ascii").split()[0])
