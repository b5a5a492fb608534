"""Texts of which nobody knows whether they left, and what a person decides about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.tenant import TenantSettings
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_chats


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
    row = await conn.fetchrow(
        "select settle_text($1, $2, $3, $4, $5, $6), chats"
        " from (select texts_to_tell($1, array[$2::bigint], array[true]) as chats offset 0) t",
        tenant_id,
        settlement.message_id,
        settlement.verdict,
        settlement.settled_by,
        now,
        valid_until,
    )
    settled, chats = row or (False, ())
    await tell_of_chats(conn, tenant_id, chats if settled else ())
    return bool(settled)


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt of which the carrier has not said, or not said enough, what became of it."""

    message_id: int
    attempt: int
    source: str
    destination: str
    body: str
    valid_until: datetime
    sent_at: datetime
    doubtful: bool
    """False: it was taken, and no receipt came."""
    part_ids: tuple[str | None, ...]


async def find_open(
    conn: Connection, tenant_id: int, carrier_id: int, doubtful_before: datetime, sent_before: datetime, limit: int
) -> list[OpenAttempt]:
    """Texts of a line that are doubtful since before the one time, or were taken before the other without a receipt."""
    rows = await conn.fetch(
        """
        select t.message_id, t.attempt::int as attempt, t.source, t.destination, m.body, t.valid_until,
               (select min(p.claimed_at) from parts p
                where p.tenant_id = $1 and p.message_id = t.message_id and p.attempt = t.attempt) as sent_at,
               t.state = 'doubtful' as doubtful,
               array(select p.carrier_part_id from parts p
                     where p.tenant_id = $1 and p.message_id = t.message_id and p.attempt = t.attempt order by p.part)
               as part_ids
        from (
            (select * from texts d where d.tenant_id = $1 and d.carrier_id = $2 and d.state = 'doubtful'
             and d.state_at <= $3 order by d.state_at desc limit $5)
            union all
            (select * from texts s where s.tenant_id = $1 and s.carrier_id = $2 and s.state = 'sent'
             and s.state_at <= $4 order by s.state_at desc limit $5)
        ) t
        join messages m on m.tenant_id = t.tenant_id and m.chat_id = t.chat_id and m.message_id = t.message_id
        """,
        tenant_id, carrier_id, doubtful_before, sent_before, limit,
    )  # fmt: skip
    return [OpenAttempt(**{**row, "part_ids": tuple(row["part_ids"])}) for row in rows]


async def is_named(conn: Connection, tenant_id: int, carrier_id: int, part_ids: Sequence[str], *, but: int) -> bool:
    """Whether another text than this one has a part that the carrier calls so."""
    return bool(
        await conn.fetchval(
            """
            select exists (select from parts where tenant_id = $1 and carrier_id = $2 and carrier_part_id = any ($3)
                                               and message_id <> $4)
            """,
            tenant_id, carrier_id, part_ids, but,
        )
    )  # fmt: skip


async def find_resending(conn: Connection) -> list[tuple[int, int]]:
    """The tenants with doubtful texts that are to be sent again, and their minutes of patience: a look across tenants,
    without locks."""
    rows = await conn.fetch(
        """
        select t.tenant_id, coalesce((t.settings->>'doubt_resend_minutes')::int, $1) from tenants t
        where exists (select from texts x where x.tenant_id = t.tenant_id and x.state = 'doubtful'
                                            and x.on_doubt = 'resend')
        """,
        TenantSettings().doubt_resend_minutes,
    )
    return [(row[0], row[1]) for row in rows]


async def resend(conn: Connection, tenant_id: int, now: datetime, before: datetime, limit: int) -> int:
    """Puts texts that are doubtful since before then, and are to be sent again, back into the queue: how many."""
    row = await conn.fetchrow(
        """
        select resend_doubtful($1, $2, $3, $4::int), chats from (
            select array(
                select chat_id from texts where tenant_id = $1 and state = 'doubtful' and on_doubt = 'resend'
                                            and state_at <= $3 order by state_at limit $4) as chats offset 0
        ) t
        """,
        tenant_id, now, before, limit,
    )  # fmt: skip
    count, chats = row or (0, ())
    await tell_of_chats(conn, tenant_id, chats)
    return int(count)
