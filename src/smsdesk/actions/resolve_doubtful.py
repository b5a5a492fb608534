"""A text whose answer was lost is known again by its receipt, though the carrier's name for it was never learned."""

from datetime import datetime

from smsdesk.store import receipts
from smsdesk.store.db import Database

_GROUP = 500


async def resolve_doubtful(db: Database, now: datetime) -> int:
    """Places the receipts that wait with the doubtful texts that they can only mean, for all tenants: how many.

    It is the text's by the reference that it was sent with; or, where the carrier gives none back, because no other
    text of ours to that phone is without an answer. Nothing is sent.
    """
    async with db.connection() as conn:
        pairs = await receipts.find_doubtful(conn)
    placed = 0
    for tenant_id, carrier_id in pairs:
        async with db.connection() as conn:
            placed += await receipts.resolve_doubtful(conn, tenant_id, carrier_id, now, _GROUP)
    return placed
