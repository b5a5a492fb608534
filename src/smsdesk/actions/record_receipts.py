"""Delivery reports are written down, and end the texts whose parts have all ended."""

from collections.abc import Sequence
from datetime import datetime

from smsdesk.domain.text_state import PartReceipt
from smsdesk.store import receipts as stored
from smsdesk.store.db import Database


async def record_receipts(
    db: Database, tenant_id: int, carrier_id: int, now: datetime, receipts: Sequence[PartReceipt]
) -> int:
    """How many receipts are for parts nobody knows yet: they are kept. Harmless to repeat; raises UNREACHABLE."""
    async with db.connection() as conn:
        return await stored.record(conn, tenant_id, carrier_id, now, receipts)
