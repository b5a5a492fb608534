"""What every step works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection, Ids


@dataclass(frozen=True, slots=True)
class Work:
    """An open transaction of one tenant, at one moment."""

    conn: Connection
    tenant_id: int
    now: datetime
    ids: Ids
    chance: Callable[[], float]
    """Numbers in 0..1."""

    async def take_id(self) -> int:
        """An id that nothing has yet."""
        return await self.ids.take(self.conn, 1)
