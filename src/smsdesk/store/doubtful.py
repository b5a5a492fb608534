"""Texts of which nobody knows whether they left, and what a person decides about them."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class DoubtfulText:
    """A text that may or may not have left, since `since`. `named` counts the parts that the carrier answered for."""

    message_id: int
    chat_id: int
    source: str
    destination: str
    carrier: str
    body: str
    parts: int
    named: int
    attempt: int
    sent_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person decided (`sent`, `not_sent` or `send_again`), and who it was: kept for the auditor."""

    message_id: int
    verdict: str
    settled_by: str


async def list_doubtful(conn: Connection, tenant_id: int, limit: int, offset: int = 0) -> list[DoubtfulText]:
    """A tenant's doubtful texts, the longest in doubt first."""
    rows = await conn.fetch(
        """
        select t.message_id, t.chat_id, t.source, t.destination, c.name, m.body, m.parts::int,
               (select count(p.carrier_part_id)::int from parts p
                where p.tenant_id = $1 and p.message_id = t.message_id and p.attempt = t.attempt),
               t.attempt::int,
               (select min(p.claimed_at) from parts p
                where p.tenant_id = $1 and p.message_id = t.message_id and p.attempt = t.attempt),
               t.state_at
        from texts t
        join carriers c on c.tenant_id = t.tenant_id and c.carrier_id = t.carrier_id
        join messages m on m.tenant_id = t.tenant_id and m.chat_id = t.chat_id and m.message_id = t.message_id
        where t.tenant_id = $1 and t.state = 'doubtful' order by t.state_at, t.message_id limit $2 offset $3
        """,
        tenant_id,
        limit,
        offset,
    )
    return [DoubtfulText(*row) for row in rows]


async def count_doubtful(conn: Connection, tenant_id: int) -> int:
    """How many doubtful texts a tenant has."""
    count: int = await conn.fetchval(
        "select count(*) from texts where tenant_id = $1 and state = 'doubtful'", tenant_id
    )
    return count


async def settle(
    conn: Connection, tenant_id: int, settlement: Settlement, now: datetime, valid_until: datetime
) -> bool:
    """Settles a doubtful text, which if it is sent again is valid until then; False where it is not doubtful."""
    settled: bool = await conn.fetchval(
        "select settle_text($1, $2, $3, $4, $5, $6)",
        tenant_id,
        settlement.message_id,
        settlement.verdict,
        settlement.settled_by,
        now,
        valid_until,
    )
    return settled
