"""Delivery reports: each changes the part that it names, or waits for that part to become known."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from smsdesk.domain.text_state import PartReceipt
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_chats
from smsdesk.store.texts import some

MOST_TOLD = 200
"""Doubtful texts of a line whose chats are told of when one of them was resolved: pages show the others when asked."""


async def record(
    conn: Connection, tenant_id: int, carrier_id: int, now: datetime, receipts: Sequence[PartReceipt]
) -> int:
    """Writes receipts down, in this order: how many of them are for parts that nobody knows yet."""
    row = await conn.fetchrow(
        "select orphans, chats from take_receipts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant_id, carrier_id, now, *receipt_arrays(receipts),
    )  # fmt: skip
    orphans, chats = row or (0, ())
    await tell_of_chats(conn, tenant_id, chats)
    return int(orphans)


def receipt_arrays(receipts: Sequence[PartReceipt]) -> tuple[list[Any] | None, ...]:
    """Receipts as the arrays that `take_receipts` works on; None for one in which nothing would be."""
    part_ids, states, reasons, codes, numbers, references, wholes = map(list, zip(*receipts, strict=True))
    return part_ids, states, some(reasons), codes, some(numbers), some(references), wholes


async def find_doubtful(conn: Connection) -> list[tuple[int, int]]:
    """The (tenant, carrier) pairs that have doubtful texts, across all tenants; locks nothing."""
    rows = await conn.fetch("select distinct tenant_id, carrier_id from texts where state = 'doubtful'")
    return [(row[0], row[1]) for row in rows]


async def resolve_doubtful(conn: Connection, tenant_id: int, carrier_id: int, now: datetime, limit: int) -> int:
    """Gives receipts that nobody could place to the doubtful texts that they report on: how many were placed."""
    async with conn.transaction():
        before = await conn.fetch(
            "select chat_id from texts where tenant_id = $1 and carrier_id = $2 and state = 'doubtful'"
            " order by state_at limit $3",
            tenant_id, carrier_id, MOST_TOLD,
        )  # fmt: skip
        placed: int = await conn.fetchval("select resolve_doubtful($1, $2, $3, $4)", tenant_id, carrier_id, now, limit)
        if placed:
            await tell_of_chats(conn, tenant_id, [row["chat_id"] for row in before])
        return placed
