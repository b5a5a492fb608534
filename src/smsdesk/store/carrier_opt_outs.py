"""Texts that carriers refused because their reader had told them STOP: taken over into our list, or kept for people."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.store.db import Connection

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CarrierOptOut:
    """What a carrier said of one text."""

    message_id: int
    carrier_id: int
    carrier: str
    number: str
    our_number: str
    code: str
    at: datetime


async def tenants_with_new(conn: Connection) -> list[int]:
    """Tenants that have some to be taken over: a look across tenants, without locks."""
    rows = await conn.fetch("select distinct tenant_id from carrier_opt_outs where state = 'new' order by 1")
    return [row["tenant_id"] for row in rows]


_NEXT = """
select o.message_id, o.carrier_id, coalesce(c.name, '(deleted)'), o.number, o.source, o.code, o.at
from carrier_opt_outs o left join carriers c on c.tenant_id = o.tenant_id and c.carrier_id = o.carrier_id
where o.tenant_id = $1
"""


async def lock_next(
    conn: Connection, tenant_id: int, state: str = "new", carrier: str | None = None
) -> CarrierOptOut | None:
    """One in this state (`new` or `waiting`), of any carrier or of one, the first first; locked, and left out where
    another has it."""
    row = await conn.fetchrow(
        f"{_NEXT} and o.state = $2 and ($3::text is null or c.name = $3) "
        "order by o.at, o.message_id limit 1 for update of o skip locked",
        tenant_id, state, carrier,
    )  # fmt: skip
    return None if row is None else CarrierOptOut(*row)


async def is_too_many(conn: Connection, tenant_id: int, carrier_id: int, now: datetime) -> bool:
    """Whether no more of this carrier's are taken over: as many in the last hour as the tenant's settings allow, or
    some that wait for a person. Locks the carrier, so that two who count do not both find room."""
    await conn.execute(
        "select 1 from carriers where tenant_id = $1 and carrier_id = $2 for no key update", tenant_id, carrier_id
    )
    too_many: bool = await conn.fetchval(
        """
        select exists (
            select from carrier_opt_outs o
            where o.tenant_id = $1 and o.carrier_id = $2 and o.state = 'waiting'
        ) or (
            select count(*) from carrier_opt_outs o
            where o.tenant_id = $1 and o.carrier_id = $2 and o.state = 'taken' and o.at > $3
              and o.decided_by is null
        ) >= (
            select coalesce((t.settings ->> 'carrier_opt_outs_most')::int, 50) from tenants t where t.tenant_id = $1
        )
        """,
        tenant_id, carrier_id, now - HOUR,
    )  # fmt: skip
    return too_many


async def set_state(conn: Connection, tenant_id: int, message_id: int, state: str, by: str | None = None) -> None:
    """Notes what became of it: `taken`, `waiting` or `dropped`, and who decided."""
    await conn.execute(
        "update carrier_opt_outs set state = $3, decided_by = $4 where tenant_id = $1 and message_id = $2",
        tenant_id, message_id, state, by,
    )  # fmt: skip


async def list_waiting(conn: Connection, tenant_id: int, limit: int, offset: int = 0) -> list[CarrierOptOut]:
    """Those that wait for a person, the first first."""
    rows = await conn.fetch(
        f"{_NEXT} and o.state = 'waiting' order by o.at, o.message_id limit $2 offset $3", tenant_id, limit, offset
    )
    return [CarrierOptOut(*row) for row in rows]


async def count_waiting(conn: Connection, tenant_id: int) -> int:
    """How many wait for a person."""
    count: int = await conn.fetchval(
        "select count(*) from carrier_opt_outs where tenant_id = $1 and state = 'waiting'", tenant_id
    )
    return count
