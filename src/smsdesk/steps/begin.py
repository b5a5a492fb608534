"""How an action begins: the one place where a transaction meets the clock, ids and chance that its steps work with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from smsdesk.steps.work import Work
from smsdesk.store.db import Database, Ids


class Begin:
    """Opens transactions for actions: `async with begin(tenant_id) as work:`, committed at the end of the block."""

    def __init__(self, db: Database, ids: Ids, clock: Callable[[], datetime], chance: Callable[[], float]) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._chance = chance

    @asynccontextmanager
    async def __call__(self, tenant_id: int) -> AsyncIterator[Work]:
        """A transaction of this tenant; an exception in the block undoes all of it."""
        async with self._db.transaction() as conn:
            yield Work(conn, tenant_id, self._clock(), self._ids, self._chance)
