"""Telling other processes that a text waits: NOTIFY, seldom, and never in the way of a commit."""

import asyncio
from collections.abc import Callable

from smsdesk.store.db import Database
from smsdesk.store.groups import AWAY
from smsdesk.store.telling import Hint, tell

FLOOR = 1.0
"""Seconds between two looks of the supervisors at what the API accepts."""
SELDOM = 0.02
"""Seconds between two NOTIFY of one process. Each takes a lock that all commits with a NOTIFY share."""


class Hints:
    """Wakes the worker of this process at once, and those of others by NOTIFY where this process has none."""

    def __init__(self, db: Database, wake_here: Callable[[int], None] | None) -> None:
        self._db = db
        self._wake_here = wake_here
        self._tenants: set[int] = set()
        self._waiting = asyncio.Event()
        self._floor: set[int] = set()
        self._moved = asyncio.Event()

    def wake(self, tenant_id: int) -> None:
        """A text of this tenant was queued, and is committed."""
        self._floor.add(tenant_id)
        self._moved.set()
        if self._wake_here is not None:
            self._wake_here(tenant_id)
        else:
            self._tenants.add(tenant_id)
            self._waiting.set()

    async def run(self) -> None:
        """Sends the hints until cancelled. A lost one costs at most a second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_workers())
            group.create_task(self._tell_desks())

    async def _tell_desks(self) -> None:
        """Once a second at most: supervisors look at the floor, and nobody is told of each notice."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            tenants, self._floor = self._floor, set()
            try:
                async with self._db.connection() as conn:
                    for tenant_id in tenants:
                        await tell(conn, tenant_id, Hint("floor"))
            except AWAY:
                pass
            await asyncio.sleep(FLOOR)

    async def _tell_workers(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            tenants, self._tenants = self._tenants, set()
            try:
                async with self._db.connection() as conn:
                    for tenant_id in tenants:
                        await conn.execute("select pg_notify('texts', $1)", str(tenant_id))
            except AWAY:
                continue
            await asyncio.sleep(SELDOM)
