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
        "select record_receipts($1, $2, $3, $4, $5, $6, $7)",
        tenant_id, carrier_id, now,
        [receipt.part_id for receipt in receipts],
        [receipt.state for receipt in receipts],
        [receipt.reason for receipt in receipts],
        [receipt.code for receipt in receipts],
    )  # fmt: skip
    return orphans
