"""Reading what supervisors read: nobody else gets a connection for it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.steps.rights import require_right
from smsdesk.store.db import Connection

T = TypeVar("T")


@asynccontextmanager
async def supervising(desk: Desk, visitor: Visitor) -> AsyncIterator[Connection]:
    """A connection for somebody who supervises at this moment. Raises Problem for all others."""
    async with desk.db.connection() as conn:
        await require_right(conn, visitor.tenant_id, visitor.agent_id, "supervise")
        yield conn


async def shared(
    desk: Desk, visitor: Visitor, key: Hashable, lasts: timedelta, read: Callable[[Connection], Awaitable[T]]
) -> T:
    """What `read` finds, or found for another supervisor of this tenant at most `lasts` ago. Who asks is checked each
    time."""
    async with supervising(desk, visitor):
        pass

    async def ask() -> T:
        async with desk.db.connection() as conn:
            return await read(conn)

    return await desk.memo.get((visitor.tenant_id, key), desk.clock(), lasts, ask)
