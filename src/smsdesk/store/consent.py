"""Who must not be texted, and the history of how that came and went."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


async def is_opted_out(conn: Connection, tenant_id: int, number: str) -> bool:
    """Whether the number is blocked by its owner's will; an opt-out stays until the end of the transaction."""
    found = await conn.fetchval(
        "select 1 from opt_outs where tenant_id = $1 and number = $2 for key share", tenant_id, number
    )
    return found is not None


async def opt_out(conn: Connection, tenant_id: int, number: str, source: str, now: datetime) -> bool:
    """Blocks the number; False where it was blocked already."""
    new = await conn.fetchval(
        """
        insert into opt_outs (tenant_id, number, at, source) values ($1, $2, $3, $4)
        on conflict do nothing returning 1
        """,
        tenant_id, number, now, source,
    )  # fmt: skip
    return new is not None


async def opt_in(conn: Connection, tenant_id: int, number: str) -> bool:
    """Lets the number be texted again; False where it was not blocked."""
    gone = await conn.fetchval(
        "delete from opt_outs where tenant_id = $1 and number = $2 returning 1", tenant_id, number
    )
    return gone is not None


async def set_quiet(conn: Connection, tenant_id: int, number: str, now: datetime) -> None:
    """Notes when it was known that nothing claimed before the opt-out was still to leave."""
    await conn.execute(
        "update opt_outs set quiet_at = $3 where tenant_id = $1 and number = $2 and quiet_at is null",
        tenant_id, number, now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """What a consumer wrote that changed whether he may be texted."""

    event_id: int
    number: str
    at: datetime
    kind: str
    """`opted_out` or `opted_in`."""
    words: str


async def add_history(conn: Connection, tenant_id: int, event: ConsentEvent) -> None:
    """Adds to what an auditor reads."""
    await conn.execute(
        """
        insert into consent_history (tenant_id, number, at, event_id, kind, source, words)
        values ($1, $2, $3, $4, $5, 'text', $6)
        """,
        tenant_id, event.number, event.at, event.event_id, event.kind, event.words,
    )  # fmt: skip
