"""Files that carriers keep for us and that a process is going to fetch are its own on disk before it asks for them."""

from datetime import datetime, timedelta

from smsdesk.store import media as rows
from smsdesk.store.db import Database
from smsdesk.store.media import ClaimedMedia

LEASE = timedelta(minutes=5)
"""How long nothing is heard of a fetch before another process begins it again: longer than four hops can take."""


async def claim_media(db: Database, tenant_id: int, now: datetime, limit: int) -> list[ClaimedMedia]:
    """Files of a tenant that this process has to fetch now, the longest due first."""
    async with db.transaction() as conn:
        return await rows.claim(conn, tenant_id, now, now + LEASE, limit)
