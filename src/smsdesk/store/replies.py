"""The way back: what phones sent, whom it belongs to, and the parts that wait for others."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.reply import ANSWERED_AFTER, Earlier, InboundPart
from smsdesk.store.db import Connection


async def lock_end_user(conn: Connection, tenant_id: int, number: str, new_id: int, now: datetime) -> int:
    """The consumer with this number, made where he is new. His replies are taken in one after another from here on."""
    await conn.execute(
        """
        insert into end_users (tenant_id, end_user_id, number, created_at) values ($1, $2, $3, $4)
        on conflict do nothing
        """,
        tenant_id, new_id, number, now,
    )  # fmt: skip
    end_user_id: int = await conn.fetchval(
        "select end_user_id from end_users where tenant_id = $1 and number = $2 and number > '' for no key update",
        tenant_id,
        number,
    )
    return end_user_id


async def find_earlier(conn: Connection, tenant_id: int, part: InboundPart, print_: bytes) -> Earlier | None:
    """What was taken in with the same fingerprint before."""
    row = await conn.fetchrow(
        """
        select session, at, exists (
            select from received l where l.tenant_id = $1 and l.carrier_id = $2 and l.session = r.session
                                     and l.at > r.at + $4
        ) as answered
        from received r where tenant_id = $1 and carrier_id = $2 and fingerprint = $3
        """,
        tenant_id, part.carrier_id, print_, ANSWERED_AFTER,
    )  # fmt: skip
    return None if row is None else Earlier(row["session"], row["at"], row["answered"])


async def remember(conn: Connection, tenant_id: int, part: InboundPart, print_: bytes) -> None:
    """Notes that this was taken in, over the note of an earlier one."""
    await conn.execute(
        """
        insert into received (tenant_id, carrier_id, fingerprint, session, at) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, carrier_id, fingerprint) do update set session = excluded.session, at = excluded.at
        """,
        tenant_id, part.carrier_id, print_, part.session, part.at,
    )  # fmt: skip


async def remember_once(conn: Connection, tenant_id: int, part: InboundPart, print_: bytes) -> bool:
    """Notes that this was taken in; False where it was before. The key of the table decides: of any number that come at
    one moment, one gets True, and where its transaction fails, the next."""
    new = await conn.fetchval(
        """
        insert into received (tenant_id, carrier_id, fingerprint, session, at) values ($1, $2, $3, $4, $5)
        on conflict do nothing returning true
        """,
        tenant_id, part.carrier_id, print_, part.session, part.at,
    )  # fmt: skip
    return new is not None


async def forget_received(conn: Connection, tenant_id: int, before: datetime) -> None:
    """Drops the memory of replies from before then: no network repeats itself after so long."""
    await conn.execute("delete from received where tenant_id = $1 and at < $2", tenant_id, before)


@dataclass(frozen=True, slots=True)
class LongReply:
    """The parts that carry the same reference: which reply of whom they make up."""

    carrier_id: int
    source: str
    destination: str
    reference: int
    total: int


async def keep_part(conn: Connection, tenant_id: int, long: LongReply, part: InboundPart, number: int) -> int:
    """Keeps a part until the others are there: how many are there now."""
    await conn.execute(
        """
        insert into reply_parts (tenant_id, carrier_id, source, destination, reference, total, part, body, encoding,
                                 payload, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing
        """,
        tenant_id, long.carrier_id, long.source, long.destination, long.reference, long.total, number,
        part.body, part.encoding, part.payload, part.at,
    )  # fmt: skip
    count: int = await conn.fetchval(
        """
        select count(*) from reply_parts
        where (tenant_id, carrier_id, source, destination, reference, total) = ($1, $2, $3, $4, $5, $6)
        """,
        tenant_id, long.carrier_id, long.source, long.destination, long.reference, long.total,
    )  # fmt: skip
    return count


async def take_parts(conn: Connection, tenant_id: int, long: LongReply) -> dict[int, tuple[str, str, bytes]]:
    """Takes out the parts that are there: number -> (body, encoding, octets)."""
    rows = await conn.fetch(
        """
        delete from reply_parts
        where (tenant_id, carrier_id, source, destination, reference, total) = ($1, $2, $3, $4, $5, $6)
        returning part, body, encoding, payload
        """,
        tenant_id, long.carrier_id, long.source, long.destination, long.reference, long.total,
    )  # fmt: skip
    return {row["part"]: (row["body"], row["encoding"], row["payload"]) for row in rows}


async def find_incomplete(conn: Connection, tenant_id: int, before: datetime) -> list[LongReply]:
    """The long replies of which nothing more came since then."""
    rows = await conn.fetch(
        """
        select carrier_id, source, destination, reference, total from reply_parts where tenant_id = $1
        group by carrier_id, source, destination, reference, total having max(at) < $2
        """,
        tenant_id, before,
    )  # fmt: skip
    return [LongReply(*row) for row in rows]
