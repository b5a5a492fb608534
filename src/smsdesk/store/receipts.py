"""Delivery reports: each changes the part that it names, or waits for that part to become known."""

from collections.abc import Sequence
from datetime import datetime

from smsdesk.domain.text_state import PartReceipt
from smsdesk.store.db import Connection


async def record(
    conn: Connection, tenant_id: int, carrier_id: int, now: datetime, receipts: Sequence[PartReceipt]
) -> int:
    """Writes receipts down, in this order: how many of them are for parts that nobody knows yet."""
    orphans: int = await conn.fetchval(
        "select record_receipts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant_id, carrier_id, now,
        [receipt.part_id for receipt in receipts],
        [receipt.state for receipt in receipts],
        [receipt.reason for receipt in receipts],
        [receipt.code for receipt in receipts],
        [receipt.number for receipt in receipts],
        [receipt.reference for receipt in receipts],
        [receipt.whole for receipt in receipts],
    )  # fmt: skip
    return orphans


async def find_doubtful(conn: Connection) -> list[tuple[int, int]]:
    """The (tenant, carrier) pairs that have doubtful texts, across all tenants; locks nothing."""
    rows = await conn.fetch("select distinct tenant_id, carrier_id from texts where state = 'doubtful'")
    return [(row[0], row[1]) for row in rows]


async def resolve_doubtful(conn: Connection, tenant_id: int, carrier_id: int, now: datetime, limit: int) -> int:
    """Gives receipts that nobody could place to the doubtful texts that they report on: how many were placed."""
    placed: int = await conn.fetchval("select resolve_doubtful($1, $2, $3, $4)", tenant_id, carrier_id, now, limit)
    return placed
