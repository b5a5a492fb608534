"""Telling other processes that a text waits: NOTIFY, seldom, and never in the way of a commit."""

import asyncio
from collections.abc import Callable

from smsdesk.store.db import Database
from smsdesk.store.groups import AWAY

SELDOM = 0.02
"""Seconds between two NOTIFY of one process. Each takes a lock that all commits with a NOTIFY share."""


class Hints:
    """Wakes the worker of this process at once, and those of others by NOTIFY where this process has none."""

    def __init__(self, db: Database, wake_here: Callable[[int], None] | None) -> None:
        self._db = db
        self._wake_here = wake_here
        self._tenants: set[int] = set()
        self._waiting = asyncio.Event()

    def wake(self, tenant_id: int) -> None:
        """A text of this tenant was queued, and is committed."""
        if self._wake_here is not None:
            self._wake_here(tenant_id)
        else:
            self._tenants.add(tenant_id)
            self._waiting.set()

    async def run(self) -> None:
        """Sends the hints until cancelled. A lost one costs at most a second."""
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
