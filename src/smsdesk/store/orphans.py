"""Receipts that fit no text: kept until their text is known, and listed until then."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class OrphanReceipt:
    """What a carrier said about a text that we do not know, or what it said and nobody could read (`unreadable`)."""

    carrier: str
    carrier_part_id: str
    state: str
    reason: str | None
    code: str
    number: str | None
    """The phone, where the carrier names it."""
    at: datetime


async def list_orphans(conn: Connection, tenant_id: int, limit: int, offset: int = 0) -> list[OrphanReceipt]:
    """A tenant's receipts that fit no text, the latest first."""
    rows = await conn.fetch(
        """
        select coalesce(c.name, '(deleted)'), o.carrier_part_id, o.state, o.reason, o.code, o.number, o.at
        from orphan_receipts o
        left join carriers c on c.tenant_id = o.tenant_id and c.carrier_id = o.carrier_id
        where o.tenant_id = $1 order by o.at desc, o.carrier_id, o.carrier_part_id, o.state limit $2 offset $3
        """,
        tenant_id, limit, offset,
    )  # fmt: skip
    return [OrphanReceipt(*row) for row in rows]


async def count_orphans(conn: Connection, tenant_id: int) -> int:
    """How many receipts of a tenant fit no text."""
    count: int = await conn.fetchval("select count(*) from orphan_receipts where tenant_id = $1", tenant_id)
    return count
