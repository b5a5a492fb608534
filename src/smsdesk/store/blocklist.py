"""Numbers that the tenant wants nothing to do with."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_number


@dataclass(frozen=True, slots=True)
class BlockedNumber:
    """A number that is not texted, and whose replies reach nobody."""

    number: str
    at: datetime
    note: str
    actor: str | None


async def block(conn: Connection, tenant_id: int, blocked: BlockedNumber) -> bool:
    """Blocks a number; False where it was blocked already, and that stays as it is."""
    new = await conn.fetchval(
        """
        insert into blocked_numbers (tenant_id, number, at, note, actor) values ($1, $2, $3, $4, $5)
        on conflict do nothing returning true
        """,
        tenant_id, blocked.number, blocked.at, blocked.note, blocked.actor,
    )  # fmt: skip
    await tell_of_number(conn, tenant_id, blocked.number)
    return new is not None


async def unblock(conn: Connection, tenant_id: int, number: str) -> bool:
    """Takes a number off the list; False where it was not on it."""
    gone = await conn.fetchval(
        "delete from blocked_numbers where tenant_id = $1 and number = $2 returning true", tenant_id, number
    )
    await tell_of_number(conn, tenant_id, number)
    return gone is not None


async def is_blocked(conn: Connection, tenant_id: int, number: str) -> bool:
    """Whether the number is on the list."""
    found = await conn.fetchval(
        "select true from blocked_numbers where tenant_id = $1 and number = $2", tenant_id, number
    )
    return found is not None


async def list_blocked(conn: Connection, tenant_id: int, limit: int, offset: int = 0) -> list[BlockedNumber]:
    """The list, by number."""
    rows = await conn.fetch(
        "select number, at, note, actor from blocked_numbers where tenant_id = $1 order by number limit $2 offset $3",
        tenant_id, limit, offset,
    )  # fmt: skip
    return [BlockedNumber(*row) for row in rows]


async def count_blocked(conn: Connection, tenant_id: int) -> int:
    """How many numbers are on the list."""
    count: int = await conn.fetchval("select count(*) from blocked_numbers where tenant_id = $1", tenant_id)
    return count
