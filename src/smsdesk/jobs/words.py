"""What is said becomes searchable, a few seconds after it was said."""

from collections.abc import Callable
from datetime import datetime

from smsdesk.store.db import Database
from smsdesk.store.tenants import tenant_ids
from smsdesk.store.words import index_words

EVERY = 5.0
"""Seconds between two looks at what was said."""
AT_ONCE = 500
"""Messages of one transaction: some 20 ms of it."""


class Words:
    """Keeps the words of all tenants; any number of nodes do it side by side."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def index(self) -> None:
        """Writes down all words that are new by now."""
        async with self._db.connection() as conn:
            for tenant_id in await tenant_ids(conn):
                while await index_words(conn, tenant_id, self._clock(), AT_ONCE) == AT_ONCE:
                    continue
