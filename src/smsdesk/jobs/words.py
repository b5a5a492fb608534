"""What is said becomes searchable, a few seconds after it was said."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from smsdesk.store.db import Database
from smsdesk.store.tenants import tenant_ids
from smsdesk.store.words import index_words

EVERY = 5.0
"""Seconds between two looks at what was said."""
AT_ONCE = 500
"""Messages of one transaction: some 20 ms of it."""
GENTLE, REST = 9, 2
"""How many times as long as such a transaction took is waited before the next: texts on their way have the machine for
nine tenths of the time, and for two thirds of it where words are behind for longer than BEHIND."""
BEHIND = 60.0
"""Seconds for which the gentle way may go on without an end: a wave of texts passes first."""


class Words:
    """Keeps the words of all tenants; any number of nodes do it side by side."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def index(self) -> None:
        """Writes down all words that are new by now."""
        async with self._db.connection() as conn:
            behind = await tenant_ids(conn)
        began = time.monotonic()
        while behind:
            behind = [tenant_id for tenant_id in behind if await self._take_in(tenant_id, began)]

    async def _take_in(self, tenant_id: int, since: float) -> bool:
        """The next messages: whether there may be more of them."""
        async with self._db.connection() as conn:
            began = time.monotonic()
            done = await index_words(conn, tenant_id, self._clock(), AT_ONCE)
            ended = time.monotonic()
        if done < AT_ONCE:
            return False
        await asyncio.sleep((ended - began) * (GENTLE if ended - since < BEHIND else REST))
        return True
